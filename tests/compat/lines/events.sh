s6-cleanfifodir plain
s6-ftrig-listen d x absent y '' true
s6-ftrig-listen e x '' ./nonesuch
s6-ftrig-listen e x '' ./plain
s6-ftrig-listen e '(' '' true
s6-ftrig-listen '' true
s6-ftrig-listen e '' true
s6-ftrig-listen e x ''
s6-ftrig-listen1 e x
s6-ftrig-listen1 -t 20000 e x s6-ftrig-notify e x >&-
s6-ftrig-listen1 -t 20000 e x s6-ftrig-notify e x >/dev/full
s6-ftrig-listen1 e x sh -c 'ls /proc/self/fd >f; s6-ftrig-notify e x' <&-
s6-ftrig-listen1 e x ./nonesuch
s6-ftrig-listen1 e x ./plain
s6-ftrig-listen1 e
s6-ftrig-notify e
s6-ftrig-notify e ''
s6-ftrig-notify plain x
s6-ftrig-notify absent x
s6-ftrig-wait e
s6-ftrig-wait
s6-mkfifodir x; stat -c %a x
s6-mkfifodir -f e; stat -c %a e
s6-mkfifodir -g 7 x; stat -c '%a %g' x
s6-mkfifodir -g x y
mkdir y; s6-mkfifodir y; stat -c %a y
mkdir y; s6-mkfifodir -f y; stat -c %a y
s6-mkfifodir plain
s6-notifyoncheck true
s6-notifyoncheck -3 1 true
s6-notifyoncheck -3 x true
s6-notifyoncheck -3 99 true
s6-notifyoncheck -s x true
s6-notifyoncheck -n x true
s6-notifyoncheck -w x true
s6-notifyoncheck -t x true
s6-notifyoncheck -T x true
s6-notifyoncheck -d
echo 3 > notification-fd; s6-notifyoncheck true
echo x > notification-fd; s6-notifyoncheck true
echo 1 > notification-fd; s6-notifyoncheck true
s6-notifyoncheck
s6-notifyoncheck -3 5 true <&-
s6-notifyoncheck -3 5 ./plain 5>&1
cd svc; s6-notifyoncheck -3 5 ./plain 5>/dev/null
