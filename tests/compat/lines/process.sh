UID=1 GID=2 GIDLIST=3 s6-applyuidgid -U env
UID=1 GID=2 GIDLIST=3 s6-applyuidgid -Uz env
UID=1 GID=2 GIDLIST=3 s6-applyuidgid -z env
UID=1 GID=2 s6-applyuidgid -U env
UID=1 s6-applyuidgid -U env
s6-applyuidgid -U env
UID=x GID=2 s6-applyuidgid -U env
UID=1 GID=x s6-applyuidgid -U env
UID=1 GID=2 GIDLIST=x s6-applyuidgid -U env
UID=1 GID=2 GIDLIST= s6-applyuidgid -U env
UID=1 GID=2 GIDLIST=1,2, s6-applyuidgid -U env
s6-applyuidgid -u 5 -g 6 -G 7,8 id
s6-applyuidgid -u 5 -g 6 -G '' id
s6-applyuidgid -G , id
s6-applyuidgid -G 1,,2 id
s6-applyuidgid -G 0 id
s6-applyuidgid -u x id
s6-applyuidgid -u -1 id
s6-applyuidgid -u 4294967295 id
s6-applyuidgid -u 4294967296 id
s6-applyuidgid -g 6 id
s6-applyuidgid -u 5 id
s6-applyuidgid -u 0 -g 0 id
UID=1 GID=2 GIDLIST=3 s6-applyuidgid -U -u 9 id
UID=1 GID=2 GIDLIST=3 s6-applyuidgid -u 9 -U id
s6-applyuidgid
s6-applyuidgid -u 0
s6-applyuidgid -u 0 sh -c 'ls /proc/self/fd' <&-
s6-envdir absent env
s6-envdir -I absent true
s6-envdir -i absent true
s6-envdir plain true
s6-envdir -c xy env true
s6-envdir env nosuch
s6-envdir env ./plain
s6-envdir d
s6-envdir env
s6-envdir env sh -c 'ls -l /proc/self/fd | grep -c null' <&-
s6-envuidgid -D 1:2:3,4 nosuch env
s6-envuidgid -D 1:2 nosuch env
s6-envuidgid -D 1 nosuch env
s6-envuidgid -D x nosuch env
s6-envuidgid -D 1:2:x nosuch env
s6-envuidgid -D '' nosuch env
s6-envuidgid -D : nosuch env
s6-envuidgid -D ::: nosuch env
s6-envuidgid -D 1::3 nosuch env
s6-envuidgid -u nobody env
s6-envuidgid -u nosuch env
s6-envuidgid -u -D 5 nosuch env
s6-envuidgid -u -D 5:6 nosuch env
s6-envuidgid -g nogroup env
s6-envuidgid -g nosuch env
s6-envuidgid -g -D 5 nosuch env
s6-envuidgid -g -D 5:6 nosuch env
s6-envuidgid -B nobody:nogroup env
s6-envuidgid -B nobody env
s6-envuidgid -B nobody: env
s6-envuidgid -B :nogroup env
s6-envuidgid -B : env
s6-envuidgid -B nosuch:nogroup env
s6-envuidgid -B nobody:nosuch env
s6-envuidgid -B -D 1:2 nosuch:nosuch env
s6-envuidgid -n 5 env
s6-envuidgid -n 5:6 env
s6-envuidgid -nB 5:6 env
s6-envuidgid -nB 5 env
s6-envuidgid -nu 5 env
s6-envuidgid -ng 5 env
s6-envuidgid -n nobody env
s6-envuidgid -nB nobody:6 env
s6-envuidgid -nB 5:nogroup env
s6-envuidgid -nu 4294967295 env
s6-envuidgid -ug nobody env
s6-envuidgid -gu nobody env
s6-envuidgid -uB nobody:nogroup env
s6-envuidgid -iD 1:2:3 nosuch env
s6-envuidgid -D 1:2:3 -i nosuch env
s6-envuidgid '' env
s6-envuidgid -u '' env
s6-envuidgid -- nobody env
s6-envuidgid root
s6-envuidgid -B root:root
s6-envuidgid root sh -c 'ls /proc/self/fd' <&-
s6-fghack true
s6-fghack sh -c 'exit 5'
s6-fghack nosuch
s6-fghack ./plain
s6-fghack sh -c 'for i in 3 4 5 6 7 8 9 ; do echo x >&$i ; done 2>/dev/null'
s6-fghack
s6-setlock lock true
s6-setlock d true
s6-setlock absent/x true
s6-setlock -r lock s6-setlock -nr lock true
s6-setlock lock s6-setlock -t 50 lock true
s6-setlock lock s6-setlock -rt 50 lock true
s6-setlock -t 100 lock true
s6-setlock -t x lock true
s6-setlock -w lock true
s6-setlock -N lock true
s6-setlock lock ./plain
s6-setlock lock nosuch
s6-setlock -t 100 lock nosuch
s6-setlock -t 100 lock sh -c 'exit 7'
s6-setlock lock
s6-setlock lock sh -c 'ls /proc/self/fd' <&- >f
s6-setsid -b true
s6-setsid -f true
s6-setsid -g true
s6-setsid -if true
s6-setsid -If true
s6-setsid -qf true
s6-setsid -s true
s6-setsid -i true
s6-setsid -i s6-setsid -i true
s6-setsid s6-setsid true
s6-setsid s6-setsid -q true
s6-setsid -b s6-setsid true
s6-setsid -d 5 true
s6-setsid -d x true
s6-setsid -fd 9 true
s6-setsid nosuch
s6-setsid ./plain
s6-setsid
s6-setsid -q
s6-setsid sh -c 'ls /proc/self/fd' <&-
s6-setuidgid nobody id
s6-setuidgid nosuch id
s6-setuidgid 5:6 id
s6-setuidgid 5: id
s6-setuidgid :6 id
s6-setuidgid 5 id
s6-setuidgid : id
s6-setuidgid 5:6:7 id
s6-setuidgid x:y id
s6-setuidgid nobody:nogroup id
s6-setuidgid root:root id
s6-setuidgid '' id
s6-setuidgid -x nobody id
s6-setuidgid nobody nosuchprog
s6-setuidgid nobody ./plain
chmod 444 lock; s6-setuidgid nobody s6-setlock lock true
chmod 444 lock; s6-setuidgid nobody s6-setlock -r lock true
s6-setuidgid root
s6-setuidgid ''
s6-setuidgid root sh -c 'ls /proc/self/fd' <&-
s6-softlimit -o 100 sh -c 'ulimit -Sn; ulimit -Hn'
s6-softlimit -H -o 100 sh -c 'ulimit -Sn; ulimit -Hn'
s6-softlimit -Ho 100 sh -c 'ulimit -Sn; ulimit -Hn'
s6-softlimit -o = sh -c 'ulimit -Sn; ulimit -Hn'
s6-softlimit -o x true
s6-softlimit -o '' true
s6-softlimit -o 1000000000000 sh -c 'ulimit -Sn'
s6-softlimit -m 100000000 sh -c 'ulimit -a'
s6-softlimit -a = -c 0 -d = -f = -l = -o = -p = -r = -s = -t = sh -c 'ulimit -a'
s6-softlimit -c 5 -f 100000 -t 99 sh -c 'ulimit -a'
s6-softlimit -t 99 nosuch
s6-softlimit -t 99 ./plain
s6-softlimit -a 1 true
s6-softlimit
s6-softlimit -o 100
s6-softlimit -o 99 sh -c 'ls /proc/self/fd' <&-
