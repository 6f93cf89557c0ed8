"""What commands of execline scripts take: options, arguments, blocks, and a program behind them.

One table for the check of scripts (:mod:`s6x.overlay.execline`). The shape of a command line,
behind the options, is written with one letter for each part:

======  ==============================================================================
``w``   a word
``n``   a word that names a variable, which the command sets
``k``   a word that is the key of a substitution
``c``   a block that is a command line of its own
``e``   the same, and it must not be empty
``b``   a block of words
``d``   a block of substitutions, as multisubstitute has them
``s``   a block of words, each followed by a command block (trap, case)
``a``   any number of words `name=value`
``.``   the rest is a program, which must be there
``?``   the rest is a program, if anything
``*``   the rest are words
======  ==============================================================================
"""

from __future__ import annotations

from s6x.overlay.record import Record


class Command(Record):
    """How a command is called."""

    options: str
    """The letters it knows; one with a value is followed by a colon. `-`: it reads none."""
    shape: str


def _table(rows: str) -> dict[str, Command]:
    commands = {}
    for row in rows.strip().splitlines():
        name, options, shape = row.split()
        commands[name] = Command(options=options, shape=shape)
    return commands


COMMANDS = _table("""
background          d                e?
backtick            iIxNnEeD:        ne.
case                sSeEnNi          ws?
cd                  -                w.
define              NnsCcd:          kw?
dollarat            n0d:             *
elgetopt            D:               w.
elgetpositionals    P:               ?
elglob              vwsme0nd:        kw?
eltest              -                *
emptyenv            plcoP            .
envfile             iI               w.
exec                cla:             .
execline-cd         -                w.
execline-umask      -                w.
exit                -                *
export              -                ww.
export-array        d:               wb.
fdblock             n                w.
fdclose             -                w.
fdmove              c                ww.
fdreserve           -                w.
fdswap              -                ww.
forbacktickx        EepP:o:x:NnCc0d:  ne?
foreground          -                c?
forstdin            EepP:o:x:NnCc0d:  n.
forx                EepP:o:x:        nb?
getcwd              Ee               n.
getpid              EePp             n.
heredoc             d                ww.
homeof              -                w
if                  nXtx:            c?
ifelse              nX               cc?
ifte                nX               cc.
ifthenelse          Xs               ccc?
import              iD:uNnsCcd:      k?
importas            SiD:uNnsCcd:     kw?
loopwhilex          no:x:            .
multidefine         0rNnCcd:         wb?
multisubstitute     -                d.
pipeline            drw              e.
piperw              -                ww.
posix-cd            LP               *
posix-umask         S                *
redirfd             rwuaxnbNfEe      ww.
runblock            Pn:r             *
shift               n:b:             .
trap                x                s.
tryexec             ncla:            e?
umask               -                w.
unexport            -                w.
wait                IiaorRt:         b?
withstdinas         iINnEeD:         n?
s6-applyuidgid      u:g:G:zU         .
s6-chroot           -                w.
s6-env              i                a?
s6-envdir           IiLlnfc:         w.
s6-envuidgid        ugBniD:          w.
s6-fghack           -                .
s6-maximumtime      0abikqtx12       w.
s6-nice             Iin:             .
s6-notifyoncheck    d3:s:T:t:w:n:c:  .
s6-pivotchroot      -                ww.
s6-setlock          nNrwd:t:         w.
s6-setsid           sbfgiIqd:        .
s6-setuidgid        -                w.
s6-sleep            m                w?
s6-softlimit        hHa:c:d:f:l:m:o:p:P:r:s:t: .
seekablepipe        -                w.
with-contenv        -                .
""")
"""By their names; programs that are not here take the rest of the words, whatever they are."""

DIRECTIVES = ("define", "importas", "import", "elglob", "elgetpositionals", "multidefine")
"""What multisubstitute understands."""
