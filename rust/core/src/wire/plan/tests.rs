use super::*;
use crate::wire::bencode::{Value, encode};
use proptest::prelude::*;

fn b(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

fn l(items: Vec<Value>) -> Value {
    Value::List(items)
}

fn words(words: &[&str]) -> Value {
    l(words.iter().map(|word| b(word)).collect())
}

fn d(entries: Vec<(&str, Value)>) -> Value {
    let mut entries: Vec<_> =
        entries.into_iter().map(|(key, value)| (key.as_bytes().to_vec(), value)).collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Value::Dict(entries)
}

/// A step of this kind with a name and these keys.
fn step(kind: &str, more: Vec<(&str, Value)>) -> Value {
    d([vec![("do", b(kind)), ("name", b("it"))], more].concat())
}

/// A plan that uses every key.
fn whole(boot: Vec<Value>, stop: Vec<Value>) -> Value {
    let limit = d(vec![("env", b("MS")), ("default", Value::Int(3000)), ("max", Value::Int(9))]);
    let environment = d(vec![
        ("export-cwd", b("CWD")),
        ("keep-when", l(vec![words(&["nonzero", "KEEP"])])),
        ("tree", words(&["{run}/env"])),
        ("dump", b("{run}/container_environment")),
    ]);
    let command = d(vec![
        ("arg0-env", b("ARG0")),
        ("environment", b("container")),
        ("defaults", l(vec![words(&["S6_LOGGING", "0"])])),
        ("not-found", Value::Int(111)),
        ("signal-base", Value::Int(256)),
    ]);
    d(vec![
        ("format", b("s6x-plan")),
        ("version", Value::Int(2)),
        ("generation", b("v1")),
        ("made-by", b("a test")),
        ("valid-when", l(vec![words(&["equals", "COMPAT", "v1", "v1"])])),
        ("inputs", l(vec![words(&["/etc", "d00000000000000ff"]), words(&["/a", "-"])])),
        ("title", b("s6-svscan {run}")),
        ("run", words(&["{env:RUN}", "/run/s6"])),
        ("default-path", b("/bin")),
        ("environment", environment),
        ("command", command),
        ("failure", d(vec![("level", Value::Int(0)), ("exit-code", Value::Int(1))])),
        ("signals", d(vec![("SIGTERM", b("stop")), ("SIGALRM", b("rescan"))])),
        ("boot", l(boot)),
        ("stop", l(stop)),
        ("stop-limit-ms", limit),
        ("exit-file", b("{run}/code")),
    ])
}

fn every_kind() -> (Vec<Value>, Vec<Value>) {
    let guarded = l([
        vec![b("when"), l(vec![words(&["not", "command"])])],
        vec![b("try")],
        vec![b("mkdir"), b("/a"), Value::Int(0o755)],
    ]
    .concat());
    let ops = l(vec![
        guarded,
        words(&["remove", "/a"]),
        words(&["copy", "/a", "/b"]),
        words(&["link", "/a", "/b"]),
        l(vec![b("fifo"), b("/f"), Value::Int(0o600)]),
        l(vec![b("write"), b("/w"), b("x{{"), Value::Int(0o644)]),
        words(&["dump-environment", "/e"]),
    ]);
    let boot = vec![
        step("files", vec![("ops", ops), ("fatal", Value::Int(1)), ("done", b("{code}"))]),
        step(
            "supervise",
            vec![
                ("scandir", b("{run}/services")),
                (
                    "catch-all",
                    d(vec![
                        ("when", l(vec![words(&["nonzero", "L"]), words(&["writable", "/log"])])),
                        ("fifo", b("{run}/fifo")),
                        ("command", l(vec![words(&["equals", "L", "2"]), words(&["root"])])),
                    ]),
                ),
            ],
        ),
        step("fix-attrs", vec![("rules", b("/a false root 0644 0755\n"))]),
        step(
            "fix-attrs",
            vec![("directory", b("/etc/f")), ("each", b("{name}")), ("hidden", l(vec![]))],
        ),
        step(
            "scripts",
            vec![
                ("directory", b("/etc/c")),
                ("cwd", b("{cwd}")),
                ("input", b("none")),
                ("unspawnable", b("abort")),
            ],
        ),
        step("services", vec![("from", b("/etc/s")), ("checked", Value::Int(1))]),
        step(
            "await",
            vec![("from", b("/etc/s")), ("limit-ms", Value::Int(5)), ("late", b("late\n"))],
        ),
        step("command", vec![("done", b("{word} {code}")), ("when", l(vec![words(&["command"])]))]),
    ];
    let stop = vec![
        step("bring-down", vec![("wait-when", l(vec![words(&["not", "command-ended"])]))]),
        step("await-down", vec![("limit-ms", Value::Int(3))]),
        step("sync", vec![]),
        step("terminate", vec![]),
        step("kill", vec![]),
        step("say", vec![("say", b("bye\n"))]),
    ];
    (boot, stop)
}

#[test]
fn a_whole_plan_is_read() {
    let (boot, stop) = every_kind();
    let plan = decode(&encode(&whole(boot, stop))).expect("well-formed");
    assert_eq!((plan.boot.len(), plan.stop.len()), (8, 6));
    assert_eq!(plan.command.not_found, 111);
    assert_eq!(plan.command.not_executable, 126, "the default");
    assert_eq!(
        plan.signals,
        [(Signal::SIGALRM, Meaning::Rescan), (Signal::SIGTERM, Meaning::Stop)]
    );
    assert_eq!(plan.inputs[0].fingerprint, Fingerprint::Directory(255));
    let Kind::Files(ops) = &plan.boot[0].kind else { panic!("{:?}", plan.boot[0]) };
    assert!(matches!(&ops[0], Op::When(c, op) if c.len() == 1 && matches!(**op, Op::Try(_))));
    let Kind::Supervise(Supervise { catch_all: Some(catch_all), .. }) = &plan.boot[1].kind else {
        panic!("{:?}", plan.boot[1])
    };
    assert_eq!((catch_all.when.len(), catch_all.command.as_ref().map(Vec::len)), (2, Some(2)));
    let Kind::FixAttrs(rules) = &plan.boot[3].kind else { panic!("{:?}", plan.boot[3]) };
    assert_eq!(rules.hidden, Some(Vec::new()), "an empty list holds always");
    let Kind::BringDown { wait_when: Some(when), .. } = &plan.stop[0].kind else { panic!() };
    assert_eq!(*when, [Condition::Not(Box::new(Condition::CommandEnded))]);
}

#[test]
fn refusals_name_the_place() {
    let refused = |boot: Vec<Value>, stop: Vec<Value>| {
        decode(&encode(&whole(boot, stop))).expect_err("malformed").to_string()
    };
    let say = || step("say", vec![]);
    for (bad, why) in [
        (step("dance", vec![]), "boot step 2 (it): do is no kind of step: \"dance\""),
        (step("kill", vec![]), "boot step 2 (it): do names something that only a stop can do"),
        (step("say", vec![("sya", b(""))]), "boot step 2 (it): unknown key \"sya\""),
        (step("say", vec![("say", b("{name}"))]), "say unknown placeholder {name}"),
        (step("say", vec![("fatal", Value::Int(256))]), "boot step 2 (it): fatal is out of range"),
        (step("say", vec![("checked", Value::Int(2))]), "checked is neither 0 nor 1"),
        (
            step("say", vec![("when", l(vec![words(&["sett", "A"])]))]),
            "when, item 1: is no condition",
        ),
        (
            step("supervise", vec![("scandir", b("/s")), ("catch-all", d(vec![]))]),
            "boot step 2 (it): catch-all: fifo is missing",
        ),
        (step("scripts", vec![]), "boot step 2 (it): directory is missing"),
        (
            step("await", vec![("from", b("/a")), ("limit-ms", b("x"))]),
            "boot step 2 (it): limit-ms is not a number",
        ),
        (
            step("await", vec![("from", b("/a")), ("limit-ms", d(vec![("env", b("A"))]))]),
            "limit-ms: number: default is missing",
        ),
        (
            step("files", vec![("ops", l(vec![words(&["rm", "/"])]))]),
            "ops, item 1: is no file operation",
        ),
        (
            step(
                "files",
                vec![("ops", l(vec![l(vec![b("mkdir"), b("/a"), Value::Int(0o10000)])]))],
            ),
            "ops, item 1: is not a mode",
        ),
        (
            step("files", vec![("ops", l(vec![words(&["try", "try", "remove", "/a"])]))]),
            "ops, item 1: is no file operation: \"try\" with 2 arguments",
        ),
        (b("say"), "boot step 2 is not a dictionary"),
    ] {
        let error = refused(vec![say(), bad], vec![]);
        assert!(error.contains(why), "{error}");
    }
    for (bytes, why) in [
        (&b"de"[..], "this is not a plan of s6x"),
        (b"", "the data ends too early"),
        (
            b"d6:format8:s6x-plan7:versioni1ee",
            "version 1 of the format and this s6x reads version 2",
        ),
    ] {
        let error = decode(bytes).expect_err("malformed").to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn numbers_come_from_the_environment_when_they_are_numbers() {
    let number = Number::Variable { name: b"MS".to_vec(), default: 7, max: Some(1000) };
    let within = |value: &str| number.within(&Environment::new([format!("MS={value}").into()]));
    assert_eq!(
        ["5", "007", "", "-1", "1s", "99999999999999999999"].map(within),
        [5, 7, 7, 7, 7, 1000]
    );
    assert_eq!(Number::Fixed(3).within(&Environment::default()), 3);
}

proptest! {
    #[test]
    fn any_damage_is_survived(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let (boot, stop) = every_kind();
        let good = encode(&whole(boot, stop));
        let mut bad = good.clone();
        bad[at.index(good.len())] = byte;
        let _ = decode(&bad);
        prop_assert!(decode(&good[..cut.index(good.len())]).is_err());
    }
}
