s6-instance-list d >&-
s6-instance-maker -r svc t made; ls made
s6-instance-maker -r svc/log/pipe -L /l t made; cat made/log/pipeline-name
s6-instance-maker -c 0 t made; grep -h instance made/run | sed 's|/usr/bin/||g'
s6-instance-maker -c 99999999 t made; grep -h instance made/run | sed 's|/usr/bin/||g'
s6-instance-maker -u nosuch t made; echo $?; ls made
s6-instance-maker -l nosuch -L /l t made; echo $?; ls made
s6-instance-maker -t 4 t made
s6-instance-maker -n x -L /l t made
s6-instance-maker -S x -L /l t made
s6-instance-maker t absent/made
s6-instance-maker t d
s6-instance-maker plain made
s6-usertree-maker root /l made; ls made
s6-usertree-maker root l made
s6-usertree-maker root /l d
s6-usertree-maker root /l absent/made
s6-usertree-maker -d relative root /l made
s6-usertree-maker -E relative root /l made
s6-usertree-maker -E /e -e A -e B root /l made; find made
s6-usertree-maker -r svc/log root /l made; find made | sort
s6-usertree-maker -r svc root /l made
s6-usertree-maker -r svc/log/pipe root /l made; cat made/log/pipeline-name
s6-usertree-maker -r svc/ root /l made
s6-usertree-maker -t 5 root /l made
s6-usertree-maker -n x root /l made
s6-usertree-maker -s x root /l made
s6-usertree-maker -S x root /l made
s6-usertree-maker -l nosuch root /l made; ls made
s6-usertree-maker nosuch /l made; ls made
s6-usertree-maker '' /l made
s6-usertree-maker root /l ''
s6-usertree-maker -P 'a' root /l made; ls made
s6-usertree-maker root /l
s6-usertree-maker
s6-instance-status absent a
s6-instance-control absent a
s6-instance-control -u svc a
s6-instance-status svc a
s6-instance-delete -X svc a
s6-instance-status plain a
