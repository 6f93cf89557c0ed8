printf '\100\0\0\0\145\0\0\0\0\0\0\0\5\0' > svc/supervise/death_tally; cd svc; s6-permafailon 10 1 5 true
printf '\100\0\0\0\145\0\0\0\0\0\0\0\5\0' > svc/supervise/death_tally; cd svc; s6-permafailon 4294967295 1 5 true
printf '\100\0\0\0\145\0\0\0\0\0\0\0\5\0' > svc/supervise/death_tally; cd svc; s6-permafailon 4294967295 1 4-6 true
printf '\100\0\0\0\145\0\0\0\0\0\0\0\211\11' > svc/supervise/death_tally; cd svc; s6-permafailon 4294967295 1 KILL true
printf '\100\0\0\0\145\0\0\0\0\0\0\0\211\11' > svc/supervise/death_tally; cd svc; s6-permafailon 4294967295 1 137 true
printf '\100\0\0\0\145\0\0\0\0\0\0\0\211\11' > svc/supervise/death_tally; cd svc; s6-permafailon 4294967295 2 137 true
s6-permafailon 1 1 1 sh -c 'ls /proc/self/fd' <&-
s6-permafailon 1 1 1 ./plain
cd d; s6-permafailon 1 1 1 true
mkdir -p supervise/death_tally; s6-permafailon 1 1 1 true
s6-permafailon 1 1 1
s6-permafailon 1 1
s6-permafailon 1 99999 1 true
s6-permafailon 1 1 '' true
s6-permafailon 1 1 '1,,2' true
s6-permafailon 1 1 '5-1' true
s6-permafailon 1 1 'sigkill' true
s6-permafailon 1 1 'SIGRTMIN' true
s6-permafailon 1 1 '1-' true
s6-permafailon 1 1 'KILL-TERM' true
s6-supervise absent
s6-supervise plain
s6-supervise
touch d/supervise; s6-supervise d
touch d/event; s6-supervise d
mkdir -p d/supervise; touch d/supervise/control; s6-supervise d
mkdir -p d/supervise/lock; s6-supervise d
s6-svc d
s6-svc -u d
s6-svc -u absent
s6-svc -u plain
s6-svc -wu d
s6-svc -wx d
s6-svc -w d
s6-svc -T d
s6-svc -T x -u d
s6-svc -T 20000 -wu -u d
s6-svc -T 20000 -wu -u absent
s6-svc -T 20000 -wu svc
s6-svc -u svc
mkfifo svc/supervise/control; s6-svc -u svc
mkfifo svc/supervise/control; s6-svc svc
s6-svc -uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu svc
s6-svc -Z svc
s6-svc ''
printf '' > svc/supervise/death_tally; s6-svdt svc
printf '\100\0\0\0\145\0\0\0\0\0\0\0\5\0' > svc/supervise/death_tally; s6-svdt svc
printf '\100\0\0\0\145\0\0\0\0\0\0\0\211\11' > svc/supervise/death_tally; s6-svdt svc; s6-svdt -s svc; s6-svdt -S svc; s6-svdt -n 0 svc; s6-svdt -n 1 svc; s6-svdt -n 5000 svc
printf '\100\0\0\0\145\0\0\0\0\0\0\0\211\117' > svc/supervise/death_tally; s6-svdt svc; s6-svdt -s svc
s6-svdt -n x svc
s6-svdt -n 3 d >&-
printf '\100\0\0\0\145\0\0\0\0\0\0\0\5\0' > svc/supervise/death_tally; s6-svdt-clear svc; ls -l svc/supervise | tail -1 | cut -c1-10; wc -c < svc/supervise/death_tally
s6-svdt-clear absent
s6-svdt-clear d
s6-svlink d svc
s6-svlink d /absent
s6-svlink absent /tmp
s6-svlink d $PWD/svc name
s6-svlink d $PWD/svc .name
s6-svlink -t x d $PWD/svc
s6-svlisten -u -t 20000 svc true
s6-svlisten -a -u -t 20000 svc '' true
s6-svlisten -r -t 20000 svc '' true
s6-svlisten -R -t 20000 svc '' true
s6-svlisten -D -t 20000 svc '' true
s6-svlisten -d -t 20000 svc '' nosuch
s6-svlisten -d -t 20000 svc '' ./plain
s6-svlisten -t 20000 absent '' true
s6-svlisten d ''
s6-svlisten1 -u -t 20000 svc true
s6-svlisten1 -d -t 20000 svc nosuch
s6-svlisten1 -d -t 20000 svc ./plain
s6-svlisten1 -u -t 20000 absent true
s6-svlisten1 -x svc true
s6-svlisten1 d
touch svc/supervise/lock; s6-svok svc
s6-svok absent
s6-svok plain
s6-svok ''
s6-svok
s6-svperms d >&-
s6-svperms d
s6-svperms svc
s6-svperms -u d
s6-svperms -u plain
s6-svperms -e svc
s6-svperms -E :0 svc
s6-svperms -u d absent
s6-svperms plain
s6-svscan -c 0 absent
s6-svscan -t x d
s6-svscan absent
s6-svscan plain
s6-svscan -d 1 d
s6-svscan -X 1 d
s6-svscan -X x d
mkdir d/.s6-svscan; s6-svscanctl -a d
mkdir d/.s6-svscan; mkfifo d/.s6-svscan/control; s6-svscanctl -a d
mkdir d/.s6-svscan; mkfifo d/.s6-svscan/control; s6-svscanctl d
s6-svscan -d 1 e >&-
s6-svscanctl d
s6-svscanctl -a d
s6-svscanctl -a absent
s6-svscanctl -a plain
s6-svscanctl -y d
s6-svscanctl ''
s6-svstat svc
touch svc/supervise/lock svc/supervise/status; s6-svstat svc
s6-svstat -o up,pid absent
s6-svstat -o up, svc
s6-svstat -o ,up svc
s6-svstat -o xx svc
s6-svstat -o up,up,up,up,up,up,up,up,up,up,up,up,up,up,up,up svc
s6-svstat -o up,up,up,up,up,up,up,up,up,up,up,up,up,up,up,up,up svc
s6-svstat -uuuuuuuuuuuuuuuuu svc
s6-svstat -u -o pid svc
s6-svstat d >&-
s6-svunlink plain x
s6-svunlink d ''
s6-svunlink -t x d a
s6-svwait -u -t 20000 absent
s6-svwait -a -u -t 20000 svc
s6-svwait -o -u -t 20000 svc
s6-svwait -t x svc
s6-svwait -u -t 20000 svc
s6-svwait -d -t 20000 svc
