use super::*;
use proptest::prelude::*;

/// A world of two files, `old` and `new`, where descriptor 0 is a terminal and `SET` is set.
struct World;

impl Facts for World {
    fn file(&self, path: &OsStr, _follow: bool) -> Option<File> {
        let file = |mode, seconds: i64| File {
            mode,
            uid: 7,
            gid: 8,
            size: 0,
            identity: (1, seconds.unsigned_abs()),
            modified: (seconds, 5),
            accessed: (seconds, 4),
        };
        match path.as_bytes() {
            b"old" => Some(file(0o104_644, 10)),
            b"new" => Some(file(0o120_777, 20)),
            _ => None,
        }
    }

    fn may(&self, path: &OsStr, access: Access) -> bool {
        self.file(path, true).is_some() && access != Access::Execute
    }

    fn effective_ids(&self) -> (u32, u32) {
        (7, 9)
    }

    fn is_terminal(&self, fd: u32) -> bool {
        fd == 0
    }

    fn is_set(&self, variable: &OsStr) -> bool {
        variable == "SET"
    }

    fn matches(&self, text: &OsStr, expression: &OsStr) -> Result<bool, String> {
        match expression.as_bytes() {
            b"bad" => Err("unable to compile bad into a regular expression".into()),
            part => Ok(text.as_bytes().windows(part.len().max(1)).any(|window| window == part)),
        }
    }
}

fn result(line: &str) -> Result<bool, String> {
    let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    Condition::parse(&words)?.holds(&World)
}

#[test]
fn every_test() {
    for line in [
        "-f old",
        "-h new",
        "-L new",
        "-u old",
        "-N old",
        "-O old",
        "-U old",
        "-e old",
        "-r new",
        "-w old",
        "-t 0",
        "-v SET",
        "-n x",
        "-z \\",
        "x",
        "\\-n",
        "\\! = \\!",
        "a = a",
        "a != b",
        "a < b",
        "a <= a",
        "b > a",
        "b >= b",
        "10 -gt 9",
        "+1 -eq 1x",
        "-1 -lt 0",
        "1 -le 1",
        "1 -ne 2",
        "2 -ge 2",
        "new -nt old",
        "old -ot new",
        "old -nt gone",
        "gone -ot old",
        "old -ef old",
        "abc =~ bc",
        "99999999999999999999 -gt 9223372036854775806",
    ] {
        assert_eq!(result(line), Ok(true), "{line}");
    }
    for line in [
        "-d old",
        "-b old",
        "-c old",
        "-p old",
        "-S old",
        "-h old",
        "-g old",
        "-k old",
        "-s old",
        "-G old",
        "-x old",
        "-e gone",
        "-t 1",
        "-v UNSET",
        "-n \\",
        "\\",
        "a = b",
        "9 -gt 10",
        "10 < 1",
        "gone -nt old",
        "gone -nt gone",
        "old -ot gone",
        "old -ef new",
        "gone -ef old",
        "old -ef gone",
        "gone -ef gone",
        "3000000000 -lt 0",
        "-9999999999999999999 -gt 0",
    ] {
        assert_eq!(result(line), Ok(false), "{line}");
    }
}

#[test]
fn operators_bind_as_they_should() {
    for (line, expected) in [
        ("! x -a \\", false),
        ("! ( x -a \\ )", true),
        ("! ! x", true),
        ("x -o x -a \\", true),
        ("( x -o x ) -a \\", false),
        ("\\ -a x -o x", true),
        ("\\ -a ( x -o x )", false),
        ("! \\ -a ! \\ -o \\", true),
        ("( ( ( x ) ) )", true),
        // Nothing behind what decides is looked at, mistakes in its content too.
        ("x -o a -eq b", true),
        ("\\ -a a -eq b", false),
        ("( x -o a -eq b ) -a x", true),
    ] {
        assert_eq!(result(line), Ok(expected), "{line}");
    }
}

#[test]
fn mistakes_and_where_they_are() {
    for (line, message) in [
        ("a b", "parse error at argument 1"),
        ("!", "parse error at argument 1"),
        ("-n", "parse error at argument 1"),
        ("-n = x", "parse error at argument 1"),
        ("a =", "parse error at argument 2"),
        ("= a", "parse error at argument 0"),
        ("a -a", "parse error at argument 2"),
        ("-a", "parse error at argument 0"),
        ("( )", "parse error at argument 1"),
        ("-n a = b", "parse error at argument 2"),
        ("( a", "parse error: too many left parentheses"),
        ("a )", "parse error: bad right parenthesis at argument 2"),
        ("a ) -a", "parse error: bad right parenthesis at argument 2"),
        ("a ) b", "parse error at argument 2"),
        ("a -eq 3", "-eq requires integer arguments"),
        ("3 -lt ", "-lt requires integer arguments"),
        ("-t x", "-t requires an integer argument"),
        ("a =~ bad", "unable to compile bad into a regular expression"),
        ("x -o a =", "parse error at argument 4"),
    ] {
        assert_eq!(result(line), Err(message.into()), "{line}");
    }
}

#[test]
fn nesting_is_no_recursion() {
    let deep = 200_000;
    let mut words = vec![OsString::from("!"); deep];
    words.extend(vec![OsString::from("("); deep]);
    words.push("x".into());
    words.extend(vec![OsString::from(")"); deep]);
    assert_eq!(Condition::parse(&words).expect("balanced").holds(&World), Ok(true));
}

/// A condition as a tree, evaluated the obvious way.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(bool),
    Not(Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
}

impl Tree {
    fn value(&self) -> bool {
        match self {
            Tree::Leaf(value) => *value,
            Tree::Not(tree) => !tree.value(),
            Tree::And(left, right) => left.value() && right.value(),
            Tree::Or(left, right) => left.value() || right.value(),
        }
    }

    /// Its words; parentheses only where they are needed for this `strength` of what is around.
    fn words(&self, strength: u8, words: &mut Vec<OsString>) {
        let own = match self {
            Tree::Leaf(_) => 3,
            Tree::Not(_) => 2,
            Tree::And(..) => 1,
            Tree::Or(..) => 0,
        };
        if own < strength {
            words.push("(".into());
        }
        match self {
            Tree::Leaf(value) => words.push(if *value { "x" } else { "" }.into()),
            Tree::Not(tree) => {
                words.push("!".into());
                tree.words(2, words);
            }
            Tree::And(left, right) | Tree::Or(left, right) => {
                left.words(own, words);
                words.push(if own == 1 { "-a" } else { "-o" }.into());
                right.words(own + 1, words);
            }
        }
        if own < strength {
            words.push(")".into());
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    any::<bool>().prop_map(Tree::Leaf).prop_recursive(6, 40, 2, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            inner.prop_map(|tree| Tree::Not(Box::new(tree))),
            two.clone().prop_map(|(left, right)| Tree::And(Box::new(left), Box::new(right))),
            two.prop_map(|(left, right)| Tree::Or(Box::new(left), Box::new(right))),
        ]
    })
}

proptest! {
    #[test]
    fn conditions_mean_what_their_trees_mean(tree in trees()) {
        let mut words = Vec::new();
        tree.words(0, &mut words);
        let condition = Condition::parse(&words).expect("well-formed");
        prop_assert_eq!(condition.holds(&World), Ok(tree.value()));
    }

    #[test]
    fn any_words_are_survived(
        words in proptest::collection::vec("\\\\?([!()=<>]|-[a-zA-Z]{1,2}|=~|!=|<=|[0-9]|x|old)?", 1..12),
    ) {
        let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        if let Ok(condition) = Condition::parse(&words) {
            let _ = condition.holds(&World);
        }
    }
}
