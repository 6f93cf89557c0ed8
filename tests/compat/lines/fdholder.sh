s6-fdholder-daemon s
s6-fdholder-daemon -i d absent/s
s6-fdholder-daemon -x absent s
s6-fdholder-daemon -v x -i d s
s6-fdholder-daemon -b x -i d s
s6-fdholder-daemon -n x -i d s
s6-fdholder-daemon -t x -i d s
s6-fdholder-daemon -T x -i d s
s6-fdholder-daemon -U -i d s
s6-fdholder-daemon -u x -i d s
s6-fdholder-daemon -D -i d plain
s6-fdholder-daemon -c 257 -i d absent/s
s6-fdholder-getdump s
s6-fdholder-list -t 100 absent
s6-fdholder-list plain >&-
s6-fdholder-retrieve s i
s6-fdholder-store -d 9 absent x
s6-fdholder-transferdump absent plain
s6-fdholder-transferdump -t 100:200 absent plain
s6-fdholderd -i d <&-
