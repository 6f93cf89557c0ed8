s6-accessrules-cdb-from-fs c d; ls -l c | cut -c1-10
s6-accessrules-cdb-from-fs c absent
s6-accessrules-cdb-from-fs absent/c d
s6-accessrules-cdb-from-fs c plain
s6-accessrules-cdb-from-fs c
s6-accessrules-cdb-from-fs c d; s6-accessrules-fs-from-cdb f c; s6-accessrules-fs-from-cdb f c
s6-accessrules-cdb-from-fs c d; s6-accessrules-fs-from-cdb absent/f c
s6-accessrules-cdb-from-fs c d <&- >&- 2>&-
s6-accessrules-fs-from-cdb f c
s6-accessrules-fs-from-cdb f plain
s6-connlimit
PROTO=IPC IPCCONNNUM=1 s6-connlimit
PROTO=IPC IPCCONNMAX=1 IPCCONNNUM=1 s6-connlimit
PROTO=IPC IPCCONNMAX=1 IPCCONNNUM=2 s6-connlimit
PROTO=IPC IPCCONNNUM=1 IPCCONNMAX=2 s6-connlimit sh -c 'ls /proc/self/fd' <&-
s6-ioconnect
s6-ioconnect -t x
s6-ioconnect -r x
s6-ioconnect -r 2
s6-ioconnect -r 5 -w 5
s6-ioconnect -0167
s6-ioconnect <&-
s6-ipcclient s true
s6-ipcclient absent/s true
s6-ipcclient plain true
s6-ipcclient -p absent/x plain true
s6-ipcclient plain
s6-ipcclient
s6-ipcserver absent/s true
s6-ipcserver -D plain true
s6-ipcserver -c x s true
s6-ipcserver -C x s true
s6-ipcserver -b x s true
s6-ipcserver -a x s true
s6-ipcserver -a 8 s true
s6-ipcserver -u x s true
s6-ipcserver -g x s true
s6-ipcserver -G x s true
s6-ipcserver -U s true
UID=1 s6-ipcserver -U s true
s6-ipcserver s
PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -l x -i absent true
PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -l x -x absent true
PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -l x -x plain true
PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -l x true
PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -l x -i d true
mkdir -p d/uid/1; touch d/uid/1/allow; PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -l x -i d sh -c 'env|grep IPC'
mkdir -p d/uid/1; touch d/uid/1/allow; PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -E -l x -i d sh -c 'env|grep IPC'
mkdir -p d/uid/1; touch d/uid/1/allow; PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -e -v2 -l x -i d sh -c 'env|grep IPC'
mkdir -p d/uid/1; touch d/uid/1/allow; PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -v0 -l x -i d nosuch
mkdir -p d/uid/1; touch d/uid/1/deny; PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -v2 -l x -i d nosuch
PROTO=IPC s6-ipcserver-access -l x -i d true
PROTO=IPC IPCREMOTEEUID=x IPCREMOTEEGID=1 s6-ipcserver-access -l x -i d true
s6-ipcserver-access -i d
s6-ipcserver-access
PROTO=IPC IPCREMOTEEUID=1 IPCREMOTEEGID=1 s6-ipcserver-access -l x -i d
s6-ipcserver-socketbinder s stat -c %a s
s6-ipcserver-socketbinder -a 600 s stat -c %a s
s6-ipcserver-socketbinder -a x s true
s6-ipcserver-socketbinder -b 0 s true
s6-ipcserver-socketbinder -b x s true
s6-ipcserver-socketbinder -D plain true
s6-ipcserver-socketbinder -d plain true
s6-ipcserver-socketbinder -D s true; s6-ipcserver-socketbinder -D s true
s6-ipcserver-socketbinder d true
s6-ipcserver-socketbinder absent/s true
s6-ipcserver-socketbinder s nosuch
s6-ipcserver-socketbinder s ./plain
s6-ipcserver-socketbinder s s6-ipcserverd -v x true
s6-ipcserver-socketbinder s s6-ipcserverd -c x true
s6-ipcserver-socketbinder s
s6-ipcserver-socketbinder s sh -c 'ls /proc/self/fd' <&-
s6-ipcserverd true
s6-ipcserverd true <d
s6-ipcserverd
s6-ipcserverd true <&-
s6-sudo s
s6-sudo -q absent x
s6-sudo -Q absent x
s6-sudo -v absent x
s6-sudo -l name absent x
s6-sudo -p absent/x plain
s6-sudo -t x s
s6-sudo -T x s
s6-sudo
s6-sudoc
s6-sudoc <&-
s6-ipcserver-socketbinder -b 0 s s6-ipcserverd -p true
s6-ipcserver-socketbinder -b 0 s s6-ipcserverd -P -v 2 -c 5 -C 3 true
