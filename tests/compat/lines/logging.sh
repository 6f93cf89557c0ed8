s6-log
s6-log t
s6-log 1
s6-log f1
s6-log 1x
s6-log 2x
s6-log tt 1
s6-log T
s6-log =
s6-log =f x
s6-log n
s6-log nx 1
s6-log s
s6-log l1 1
s6-log s4096 l3000 1
s6-log S1x 1
s6-log rx 1
s6-log r0 1
s6-log Ex 1
s6-log ^x 1
s6-log ^0 =f
s6-log z
s6-log ''
s6-log '+(' 1
s6-log -- '-(' 1
s6-log +a
s6-log 1 +a
s6-log -d 2 1
s6-log -d x 1
s6-log -d 99 1
s6-log -l x 1
s6-log -l 0 1
printf 'a\nb\n' | s6-log 1
printf 'a\nb\n' | s6-log -b 1
printf 'a\nb\n' | s6-log -p 1
printf 'a\nb\n' | s6-log -q 1
printf 'a\nb\n' | s6-log -v 1
printf 'a\nb\n' | s6-log -vv 1
printf 'a\nb\n' | s6-log -v ./l; cat l/current
printf 'a\nb\n' | s6-log -q ./plain
printf 'a\nb\n' | s6-log -qq ./absent/x
printf 'a\nb\n' | s6-log -- -a 1
printf 'a\nb\n' | s6-log - +a 1
printf 'a\nb\n' | s6-log 2
printf 'a\nb\n' | s6-log E1 2
printf 'abcdefgh\nb\n' | s6-log E3 2
printf 'a\nb\n' | s6-log pX 1 p 1
printf 'a\nb\n' | s6-log =f 1; cat f
printf 'a\nb\n' | s6-log ^3 =f; cat f
printf 'a\nb\n' | s6-log ^0 =f; cat f
printf 'a\nb\n' | s6-log -- -a 1 f 2
printf 'a\nb\n' | s6-log 1 f 2
printf 'a\0b\n' | s6-log 1
printf '%60s\n' x | s6-log -l 50 1
printf '%60s\n' x | s6-log -l 5 1
printf 'a\n' | s6-log '!cat' ./l; cat l/current
printf 'a\n' | s6-log '?cat' ./l; cat l/current
printf 'a\n' | s6-log '!' ./l; cat l/current
printf 'a\n' | s6-log n0 s4096 S10 ./l; cat l/current
printf 'a\n' | s6-log n-1 1
printf 'a\n' | s6-log s99999999999 1
printf 'a\n' | s6-log -X 1
printf 'a\n' | s6-log p 1
printf 'a\n' | s6-log +a -a 1
printf 'a\n' | s6-log 1 2>/dev/full >/dev/full
s6-log t ./l <&-
echo x | s6-log 1 >&-
echo x | s6-log 1 ./l >&-
echo x | s6-log 2 ./l 2>&-
echo x | s6-log ./l >&- 2>&-
echo x | s6-log -d1 ./l >&-
s6-log -d 5 ./l
s6-log -d 2 ./l
s6-log -d x ./l
s6-socklog -x
s6-socklog -x d
s6-socklog -x absent/s
s6-socklog -d 2 -x s
s6-socklog -d x -x s
s6-socklog -l x -x s
s6-socklog -t x -x s
s6-socklog -i x
s6-socklog -i 1.2.3
s6-socklog -i 127.0.0.1_x
s6-socklog -i 127.0.0.1_99999
s6-socklog -i 192.0.2.1
s6-socklog -u x -x s
s6-socklog -U -x s
s6-socklog -x s -d 9
s6-tai64n <&-
echo x | s6-tai64n >&-
echo x | s6-tai64n >/dev/full
s6-tai64n <d
s6-tai64nlocal <&-
echo x | s6-tai64nlocal >&-
echo x | s6-tai64nlocal >/dev/full
s6-tai64nlocal <d
ucspilogd <&-
echo x | ucspilogd >&-
echo '<13>x' | ucspilogd >/dev/full
ucspilogd <d
ucspilogd -D
ucspilogd -D x </dev/null
echo y | ucspilogd -D x A
echo y | A=b ucspilogd -D x A B
ucspilogd -x
