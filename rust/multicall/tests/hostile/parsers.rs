//! Every parser: what its inputs look like, and what must hold.

use crate::laws;

/// A parser on trial.
pub(crate) struct Parser {
    /// The module that it is in.
    pub(crate) name: &'static str,
    /// Inputs to begin with: usual ones, odd ones, and those that once broke it.
    pub(crate) seeds: &'static [&'static [u8]],
    /// Words of its language, to be put anywhere.
    pub(crate) words: &'static [&'static [u8]],
    /// Bytes of memory that any input may cost, whatever its size.
    pub(crate) room: usize,
    /// Bytes of memory that a byte of input may cost on top of that.
    pub(crate) memory: usize,
    /// Counted steps that a byte of input may cost.
    pub(crate) work: u64,
    /// Panics if something is wrong with what becomes of these bytes.
    pub(crate) law: fn(&[u8]),
}

/// What most parsers get along with.
const USUAL: Parser = Parser {
    name: "",
    seeds: &[],
    words: &[],
    room: 256 * 1024,
    memory: 100,
    work: 2000,
    law: |_| {},
};
/// Room for a command line of execline, which has a size of its own at which it is given up, and for
/// what becomes of it.
const COMMAND_LINE: usize = 32 * 1024 * 1024;

/// All of them.
pub(crate) const TABLE: &[Parser] = &[
    Parser {
        name: "wire::bencode",
        seeds: &[b"d1:ai-7e2:bcl0:3:xyzd0:i0eeee", b"lllleeee", b"i9223372036854775807e"],
        words: &[b"i", b"e", b"l", b"d", b"1:a", b"0:", b"i0e", b"le", b"de"],
        law: laws::bencode,
        ..USUAL
    },
    Parser {
        name: "wire::plan",
        seeds: &[
            include_bytes!("../../../../tests/overlay/snapshots/empty-v1.plan"),
            include_bytes!("../../../../tests/overlay/snapshots/empty-v2.plan"),
        ],
        words: &[
            b"i0e", b"i-1e", b"0:", b"le", b"de", b"4:kind", b"8:limit-ms", b"4:name", b"{run}", b"3:try",
            b"4:when", b"3:not",
        ],
        memory: 400,
        law: laws::plan,
        ..USUAL
    },
    Parser {
        name: "wire::plan::text",
        seeds: &[b"{run}/x {env:A}{uid} {{literal} {name} {code} {word} {cwd}"],
        words: &[b"{run}", b"{cwd}", b"{uid}", b"{name}", b"{code}", b"{word}", b"{env:", b"{{", b"}"],
        law: laws::plan_text,
        ..USUAL
    },
    Parser { name: "wire::control", seeds: &[b"abqhkti12pcyrlPCKoduDUxOQ"], law: laws::control, ..USUAL },
    Parser {
        name: "wire::environment",
        seeds: &[b"prog\0PATH=/bin:/usr/bin::\0HOME=/\0A=1\0A=2", b"./prog\0PATH=\0=x\0plain"],
        words: &[b"\0PATH=", b":", b"/", b"=", b"\0"],
        memory: 2000,
        law: laws::environment,
        ..USUAL
    },
    Parser {
        name: "wire::fix_attrs",
        seeds: &[
            b"/var/lib/x true nobody,32768:32768 0644 02755\n# note\n\n/etc/y false root:root - 0700\r\n",
            b"/a true 0 0 0\n/b true a:b,1:2 7777 -",
        ],
        words: &[b"true", b"false", b" - ", b"\n", b",0:0", b"root:root", b"0644", b"#"],
        law: laws::fix_attrs,
        ..USUAL
    },
    Parser {
        name: "wire::ftrigr",
        seeds: &[
            b"\0\0\0\x16\0\x01L\0\0\0\x01\0\0\0\x02\0\0\0\x03/e\0u|d\0\0\0\0\x03\0\x01U",
            b"\0\0\0\0\0\0\0\0",
            b"ftrigr v1.0 (b)\n",
        ],
        words: &[b"\0\0\0\x03", b"U", b"L", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\x10\0\0"],
        law: laws::ftrigr,
        ..USUAL
    },
    Parser {
        name: "wire::log_script",
        seeds: &[
            b"-a\x001\0+b\0-c\0t\0T\x002\0f\0=/run/x",
            b"n3\0s5000\0l100\0S7\0r5\0R9\0pX\0?true\0E300\0^12\0t\0/a\0n4\0!\0p\0./b",
        ],
        words: &[b"\0", b"\x001", b"\0f", b"\0t", b"\0T", b"\0p", b"\0/x", b"\0=x", b"\0s", b"\0!"],
        law: laws::log_script,
        room: 16 * 1024 * 1024,
        memory: 300,
        ..USUAL
    },
    Parser {
        name: "machine::log::lines",
        seeds: &[b"one\ntwo\0three\n\n", b"0123456789012345678901234567890123456789012345678901\n"],
        words: &[b"\n", b"\0", b"01234567890123456789012345678901234567890123456789"],
        law: laws::log_lines,
        ..USUAL
    },
    Parser {
        name: "regex",
        seeds: &[
            b"\x00^(a|b)*[^[:alpha:]x-z]+\\<c{2,3}$\0abc ccc",
            b"\x01\\(a*\\)*b\\{1,\\}\\|^c\0aab",
            b"\x02([[.a.]-c]|\\w\\b)?(x{,9}){3}\0AbXX",
        ],
        words: &[b"(", b")", b"|", b"*", b"{9,99}", b"{,2}", b"[^", b"[:digit:]", b"]", b"\\", b"\0", b"^", b"$"],
        room: 16 * 1024 * 1024,
        memory: 400,
        work: 4_000_000,
        law: laws::regex,
    },
    Parser {
        name: "wire::notice",
        seeds: &[b"ftrig1:@40000000000000000000000000:abcdef"],
        words: &[b"ftrig1:@"],
        law: laws::notice,
        ..USUAL
    },
    Parser {
        name: "wire::signal",
        seeds: &[b"TERM", b"SIGRTMIN+3", b"sigkill", b"9", b"SIG34"],
        words: &[b"SIG", b"HUP", b"15"],
        law: laws::signal,
        ..USUAL
    },
    Parser {
        name: "wire::status",
        seeds: &[&[0; 35], &[0xff; 35], &[0x40; 43], &[0xff; 43]],
        law: laws::status,
        ..USUAL
    },
    Parser {
        name: "wire::wait_status",
        seeds: &[&[0, 0], &[0, 9], &[1, 0], &[0, 0x7f], &[0xff, 0xff]],
        law: laws::wait_status,
        ..USUAL
    },
    Parser {
        name: "wire::tai64",
        seeds: &[
            b"@400000006520a1c52f1ba5e4 text",
            b"@ffffffffffffffff3b9ac9ff",
            b"@00000000000000003B9AC9FF",
        ],
        words: &[b"@", b"3b9ac9ff", b"3b9aca00"],
        law: laws::tai64,
        ..USUAL
    },
    Parser {
        name: "wire::zone",
        seeds: &[
            b"CET-1CEST,M3.5.0,M10.5.0/3",
            b"<-03>3<-02>,J60/-2,300/167",
            b"TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\
              \0\0\0\0\0\0TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\0\
              \0\0\0\0\0\0\x03\xe8\0\0\0\x0e\x10\0\0\0\0\0\0\0\0\x07\xd0\0\0\0\x01\nABC-3\n",
        ],
        words: &[b"TZif", b"\0\0\0\x01", b"\xff\xff\xff\xff", b"EST5", b",", b"M12.5.6", b"J365", b"/-", b"<+1>"],
        law: laws::zone,
        ..USUAL
    },
    Parser { name: "wire::tally", seeds: &[&[7; 42], &[0xff; 28]], law: laws::tally, ..USUAL },
    Parser {
        name: "wire::syslog",
        seeds: &[b"<13>Oct  7 12:00:00 host prog: text", b"<191>", b"<1000>x", b"<-1>x"],
        words: &[b"<", b">", b"13"],
        law: laws::syslog,
        ..USUAL
    },
    Parser {
        name: "run::notify_socket",
        seeds: &[b"STATUS=x\nREADY=1\nMAINPID=7", b"READY=11"],
        words: &[b"READY=1", b"\n"],
        law: laws::notify_socket,
        ..USUAL
    },
    Parser {
        name: "sys::user",
        seeds: &[
            b"www\0root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www,a:/var/www:/x\n+nis:::\nx:x:9:www,root",
            b"+\0+:x:0:0::/:\n",
        ],
        words: &[b":", b"\n", b",", b"www", b"+", b":x:", b"::"],
        law: laws::passwd,
        ..USUAL
    },
    Parser {
        name: "process::ids",
        seeds: &[b"0,1,2", b"1:2; 3\t4\n5,", b"4294967295"],
        words: &[b",", b"0"],
        law: laws::id_list,
        ..USUAL
    },
    Parser {
        name: "options",
        seeds: &[b"-abt5\0--\0-x", b"--timeout=5\0--all\0x", b"-t\0--\0-"],
        words: &[b"\0", b"-", b"--", b"--all", b"--timeout=", b"--only-long=", b"-t"],
        law: laws::options,
        ..USUAL
    },
    Parser {
        name: "model::envdir",
        seeds: &[b"value  \nmore\n", b"", b"\n", b"a\0b\0\nc", b" \t\r\n"],
        words: &[b"\0", b"\n", b" ", b"\t"],
        memory: 100,
        law: laws::envdir,
        ..USUAL
    },
    Parser {
        name: "model::service_dir",
        seeds: &[b"SIGTERM\n\0HUP\x005000\n\x00 0 \x003", b"\0\0\0\0", b"15\0x\0-1\x004294967296\x001"],
        words: &[b"\0", b"\n", b"SIG", b"0"],
        law: laws::service_dir,
        ..USUAL
    },
    Parser {
        name: "execline::script",
        seeds: &[
            b"#!/usr/bin/execlineb -P\nforeground { echo \"a b\\n\\065\\0x41\" } # note\nimportas -u A B\nif -t { true } exec $A \\{ x\n",
            b"a { b { c { } } } \"\"",
            b"\"\\0xff\\1\\127",
        ],
        words: &[b"{ ", b" } ", b"\"", b"\\", b"\\0x", b"#", b"\n", b" {\n", b"\\\n", b"\0"],
        room: COMMAND_LINE,
        work: 20_000,
        law: laws::execline::script,
        ..USUAL
    },
    Parser {
        name: "execline::block",
        seeds: &[b" a\0 b\0\0prog\0x", b"a\0  b\0 \0\0\0"],
        words: &[b"\0", b"\0\0", b" ", b"\0 "],
        law: laws::execline::block,
        ..USUAL
    },
    Parser {
        name: "execline::quote",
        seeds: &[b"plain", b"\"\\\x07\r\n\xff\x7f \t'"],
        law: laws::execline::quote,
        ..USUAL
    },
    Parser {
        name: "execline::substitution",
        seeds: &[
            b"A\0one\0two\0\0x${A}y$A\0\\$A\0\\\\${A}\0$B${}",
            b"A\0\0${A}\0plain\0-$A",
            b"k\0\0a\0b\0c\0\0$k$k$k${k}\0$k",
        ],
        words: &[b"$A", b"${A}", b"${", b"}", b"\\", b"$", b"\0", b"\0\0", b"A\0"],
        room: COMMAND_LINE,
        work: 2_000_000,
        law: laws::execline::substitution,
        ..USUAL
    },
    Parser {
        name: "execline::value",
        seeds: &[b"\x07 :\0a b:c  d ", b"\x04\x003:abc,0:,1::,", b"\x06,\0,a,,b"],
        words: &[b"0:,", b"1:x,", b":", b",", b" ", b"00"],
        law: laws::execline::value,
        ..USUAL
    },
    Parser {
        name: "execline::frame",
        seeds: &[b"#=2\x000=s\x001=a\x002=b\x001:1=old\x00X=y", b"#:4294967295=1\x001:=x\x003"],
        words: &[b"\0#=", b"\x001=", b":1", b":", b"=", b"\x000="],
        memory: 600,
        law: laws::execline::frame,
        ..USUAL
    },
    Parser {
        name: "execline::strict",
        seeds: &[b"0", b"1", b"2", b"", b"4294967296"],
        law: laws::execline::strict,
        ..USUAL
    },
    Parser {
        name: "wire::access_rules",
        seeds: &[b"D", b"A\0\x08A=b\0C\0=\0\0\x04exec", b"A\0\0\0\0"],
        words: &[b"A", b"D", b"\0", b"=", b"\x10\0", b"\x10\x01"],
        law: laws::access_rule,
        ..USUAL
    },
    Parser {
        name: "wire::cdb",
        seeds: &[b"uid/0\0D\0uid/default\0A\0uid/0\0x", b"a\0b", b"\xff\xff\xff\xff\x10\0\0\0"],
        words: &[b"\0", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\x08\0\0", b"\x08\0\0\0"],
        work: 20_000,
        law: laws::cdb,
        ..USUAL
    },
    Parser {
        name: "model::access_rules",
        seeds: &[b"A\0\x04A=b\0\0\x04exec", b"A=b\0exec", b"", b"D"],
        words: &[b"\0", b"=", b"A\0\0\0\0"],
        law: laws::access_rules_in_files,
        ..USUAL
    },
    Parser {
        name: "wire::message",
        seeds: &[b"\0\0\0\x02\0\x01ab\0\0\0\0\0\0", b"\0\0\0\x01\0\xfdx", b"\0\0\x10\0\0\0"],
        words: &[b"\0\0\0\0\0\0", b"\0\0\0\x01\0\0", b"\0\xfd", b"\0\xfe", b"\xff\xff\xff\xff"],
        law: laws::message,
        ..USUAL
    },
    Parser {
        name: "wire::sudo",
        seeds: &[
            b"s6-sudo a v1.0\n\0\0\0\x02\0\0\0\x01\0\0\0\x05\0\0\0\x04a\0bc\0A=1\0",
            b"s6-sudo a v1.0\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ],
        words: &[b"\0", b"=", b"A=", b"\0\0\0\x01", b"\xff\xff\xff\xff", b"\0\x02\0\0"],
        law: laws::sudo_request,
        ..USUAL
    },
    Parser {
        name: "execline::condition",
        seeds: &[
            b"!\0(\0-e\0/x\0-a\0a\0=\0a\0)\0-o\0\\-e",
            b"(\x005\0-le\x007\0)\0-a\0!\0-z\0\0-o\0-v\0HOME",
            b"a\0-nt\0b\0-o\0x\0=~\0^x",
        ],
        words: &[b"\0-a\0", b"\0-o\0", b"!\0", b"(\0", b"\0)", b"\0=\0", b"\\", b"\0-lt\0", b"-f\0"],
        memory: 400,
        law: laws::execline::condition,
        ..USUAL
    },
    Parser {
        name: "execline::envfile",
        seeds: &[b"A = b # no\n# note\n  C=\"d e\\n\\x41\\101\" f \nE=\n", b"A=a\\\nb\n\0rest"],
        words: &[b"=", b"\n", b"\"", b"\\", b"\\x", b"\\0", b"#", b" \t", b"A="],
        law: laws::execline::envfile,
        ..USUAL
    },
    Parser {
        name: "execline::getopt",
        seeds: &[b"ab:c\0-acb\0x\0-b5\0--\0-a", b":a:\0-:\0-a", b"a\0-\0--x"],
        words: &[b"\0-", b"\0--", b":", b"\0"],
        law: laws::execline::getopt,
        ..USUAL
    },
    Parser {
        name: "execline::mask",
        seeds: &[b"022", b"u=rwx,g-w+x,o=", b"a=u,go-rwx", b"+", b"77777777777777777777"],
        words: &[b"u", b"g", b"o", b"a", b"=", b"+", b"-", b"rwx", b",", b"s", b"t", b"X"],
        law: laws::execline::mask,
        ..USUAL
    },
    Parser {
        name: "execline::path",
        seeds: &[b"a/../b//./c/..", b"../..", b"...", b"a/b/"],
        words: &[b"/", b"..", b".", b"//", b"/../"],
        law: laws::execline::path,
        ..USUAL
    },
    Parser {
        name: "execline::quote readable",
        seeds: &[b"plain", b"a b\\\"\x07\n\xff"],
        law: laws::execline::readable,
        ..USUAL
    },
    Parser {
        name: "wire::fdholder",
        seeds: &[
            b"S\x40\0\0\0\0\0\0\0\0\0\0\0\x02id\0",
            b"D\x01x\0",
            b"R\x01\x01x\0",
            b"L",
            b"?",
            b"!\0\0\0\x02",
            b".\x40\0\0\0\0\0\0\0\0\0\0\0\x01a\0\x40\0\0\0\0\0\0\0\0\0\0\0\x01b\0",
            b"\0\0\0\0\x02a\0b\0",
            b"\0\0\0\0\x01\0\0\0\x02",
            b"\x10",
        ],
        words: &[b"\0", b"\x01x\0", b"\xff", b"\0\0\0\x01"],
        law: laws::fdholder,
        ..USUAL
    },
    Parser {
        name: "wire::mount",
        seeds: &[
            b"/dev/sda1 / ext4 rw,noatime,data=x 0 1\n# note\nproc /proc proc\nx y\n",
            b"a\\040b /c\\134 tmpfs ro,,suid,nosuid,shared,private",
            b"Filename Type\n/swap\\040file file 1 0 -2\n",
        ],
        words: &[b"\\040", b"\\", b",", b"\n", b" ", b"ro", b"bind", b"#", b"defaults"],
        law: laws::mount,
        ..USUAL
    },
    Parser {
        name: "wire::process_stat",
        seeds: &[
            b"1 (a) b) S 0 1 1 34816 7 4194560 1 2 3 4 5 6 7 8 20 0 1 0 100 4096 5 18446744073709551615 \
              1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
            b"1 () S",
        ],
        words: &[b"(", b")", b" ", b"-1", b") S "],
        law: laws::process_stat,
        ..USUAL
    },
    Parser {
        name: "wire::quoting",
        seeds: &[b"\"'\0a \\\" \\0x41\\n\\0\\q' rest", b"\0\\0x4", b"|\0\\"],
        words: &[b"\\0x", b"\\", b"\"", b"'", b"\\0", b"\0"],
        law: laws::quoting,
        ..USUAL
    },
    Parser {
        name: "wire::log_journal",
        seeds: &[
            b"s6x-log1\x02\0\0\0\0\0\0\0",
            &[0; 32],
            b"\x01\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ],
        words: &[b"s6x-log1", b"\0\0\0\0\0\0\0\0", b"\x01\0\0\0\0\0\0\0", b"\xff\xff\xff\xff"],
        law: laws::log_journal,
        ..USUAL
    },
    Parser {
        name: "execline::codes",
        seeds: &[b"0,1:2; 3\t255", b"65536", b",1", b"1,,,x"],
        words: &[b",", b"256", b" "],
        law: laws::execline::codes,
        ..USUAL
    },
    Parser {
        name: "execline::records",
        seeds: &[b"\x00\n\0one\ntwo\n\nthree", b"\x03,;\0a,b;;c", b"\0\x003:abc,0:,00001:x,", b"\0\x0099999999:x"],
        words: &[b"\n", b",", b":", b"0:,", b"3:abc,", b"\0"],
        law: laws::execline::records,
        ..USUAL
    },
];
