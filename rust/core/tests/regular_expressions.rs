//! Our regular expressions beside the C library's: random ones, on random lines.
//!
//! `S6X_EXPRESSIONS=1000000 S6X_SEED=7 cargo test -p s6x-core --test regular_expressions` tries more, or others.
#![allow(unsafe_code, reason = "the C library is the oracle")]

use s6x_core::regex::{Dialect, Matcher, Regex};
use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ops::Range;

/// An expression that the C library has compiled. It never moves.
struct Theirs(Box<libc::regex_t>);

impl Theirs {
    fn new(expression: &[u8], dialect: Dialect) -> Option<Theirs> {
        let extended = if dialect.basic { 0 } else { libc::REG_EXTENDED };
        let folded = if dialect.ignores_case { libc::REG_ICASE } else { 0 };
        let text = CString::new(expression).expect("no NUL inside");
        let mut place = Box::new(MaybeUninit::<libc::regex_t>::uninit());
        // SAFETY: `place` has room for one regex_t, `text` is a C string.
        let code = unsafe { libc::regcomp(place.as_mut_ptr(), text.as_ptr(), extended | folded) };
        // SAFETY: regcomp filled the place if it succeeded.
        (code == 0).then(|| Theirs(unsafe { place.assume_init() }))
    }

    fn find(&self, text: &[u8], groups: usize) -> Option<Vec<Option<Range<usize>>>> {
        let whole = libc::regmatch_t { rm_so: 0, rm_eo: text.len() as libc::regoff_t };
        let mut found = vec![whole; groups + 1];
        let (place, count) = (found.as_mut_ptr(), found.len());
        // SAFETY: a compiled expression, room for that many matches; REG_STARTEND says that the first
        // of them tells which bytes to look at.
        let code = unsafe {
            libc::regexec(
                &raw const *self.0,
                text.as_ptr().cast(),
                count,
                place,
                libc::REG_STARTEND,
            )
        };
        let range = |group: &libc::regmatch_t| {
            let begin = usize::try_from(group.rm_so).ok()?;
            Some(begin..usize::try_from(group.rm_eo).ok()?)
        };
        (code == 0).then(|| found.iter().map(range).collect())
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        // SAFETY: compiled by `new`, and not used again.
        unsafe { libc::regfree(&raw mut *self.0) };
    }
}

/// xorshift64*: enough to choose with.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// Pieces of which anything is put together, mistakes included.
const PIECES: &[&str] = &[
    "a",
    "b",
    "ab",
    "_",
    " ",
    "-",
    "A",
    "B",
    ".",
    "^",
    "$",
    "*",
    "+",
    "?",
    "|",
    "(",
    ")",
    "()",
    "{",
    "}",
    "{2}",
    "{0}",
    "{,2}",
    "{1,}",
    "{0,1}",
    "{2,1}",
    "{x}",
    "[",
    "]",
    "[ab]",
    "[^a]",
    "[a-c]",
    "[]a]",
    "[^]a]",
    "[a-]",
    "[-a]",
    "[[:alpha:]]",
    "[[:space:]b]",
    "[^[:upper:]]",
    "[[.a.]]",
    "[[=b=]-]",
    "[a-[:digit:]]",
    "[--a]",
    "[b-a]",
    "[[:x:]]",
    "[\\a]",
    "\\",
    "\\(",
    "\\)",
    "\\|",
    "\\{1\\}",
    "\\{1,2\\}",
    "\\{",
    "\\}",
    "\\+",
    "\\?",
    "\\.",
    "\\*",
    "\\\\",
    "\\[",
    "\\^",
    "\\$",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\<",
    "\\>",
    "\\b",
    "\\B",
    "\\`",
    "\\'",
    "\\-",
    ",",
    "0",
    "(a|b)",
    "\\(a\\|b\\)",
    "x\u{e9}",
];

/// A part of an expression that is surely right, and has no more than so many repetitions.
fn part(random: &mut Random, depth: usize, basic: bool) -> String {
    let (open, close, bar) = if basic { ("\\(", "\\)", "\\|") } else { ("(", ")", "|") };
    let choice = random.below(if depth == 0 { 5 } else { 10 });
    let inner = |random: &mut Random| part(random, depth.saturating_sub(1), basic);
    match choice {
        0..=3 => random.pick(&["a", "b", "c", "A", "ab", "bc", ".", "_"]).to_owned(),
        4 => random.pick(&["[ab]", "[^a]", "[b-d]", "[[:alpha:]]", "\\w", "\\s", "\\S"]).to_owned(),
        5 | 6 => [inner(random), inner(random)].concat(),
        7 => [open, &inner(random), bar, &inner(random), close].concat(),
        8 => [open, &inner(random), close].concat(),
        _ => {
            let times = if basic {
                random.pick(&["*", "\\+", "\\?", "\\{2\\}", "\\{0,2\\}", "\\{1,\\}"])
            } else {
                random.pick(&["*", "+", "?", "{2}", "{,2}", "{1,}", "{1,3}", "{0}"])
            };
            [open, &inner(random), close, times].concat()
        }
    }
}

fn line(random: &mut Random) -> Vec<u8> {
    const BYTES: &[u8] = b"aaabbbccABd_ -.\xc3\xa9\t*";
    (0..random.below(12)).map(|_| BYTES[random.below(BYTES.len())]).collect()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What is not compared: back-references; three hyphens, of which releases of the C library differ; and an
/// escaped letter where case is ignored, which matches nothing there.
fn is_left_out(expression: &str, dialect: Dialect) -> bool {
    let refers = |pair: &[u8]| pair[0] == b'\\' && (b'1'..=b'9').contains(&pair[1]);
    expression.as_bytes().windows(2).any(refers)
        || expression.contains("---")
        || (dialect.ignores_case && expression.contains("\\a"))
}

/// What both say of an expression and lines.
fn compare(
    expression: &str,
    dialect: Dialect,
    random: &mut Random,
    tally: &mut [u64; 3],
) -> Result<(), String> {
    let said = |what: &str| Err(format!("{expression:?} {dialect:?}: {what}"));
    let theirs = Theirs::new(expression.as_bytes(), dialect);
    let ours = Regex::in_dialect(expression.as_bytes(), dialect);
    let (theirs, ours) = match (theirs, ours) {
        (None, Err(_)) => return Ok(()),
        (Some(theirs), Ok(ours)) => (theirs, ours),
        (Some(_), Err(mistake)) => return said(&format!("refused: {mistake}")),
        (None, Ok(_)) => return said("not refused"),
    };
    tally[0] += 1;
    let mut matcher = Matcher::new(expression.as_bytes(), dialect).expect("just compiled");
    for _ in 0..5 {
        let text = line(random);
        let found = theirs.find(&text, 0).map(|found| found[0].clone().expect("the whole"));
        tally[1] += 1;
        tally[2] += u64::from(found.is_some());
        let mine = ours.find(&text);
        let by_table = matcher.matches(&text);
        if mine != found || ours.is_match(&text) != found.is_some() || by_table != found.is_some() {
            let text = text.escape_ascii();
            return said(&format!(
                "on \"{text}\": {mine:?} (table: {by_table}), theirs: {found:?}"
            ));
        }
    }
    Ok(())
}

#[test]
fn what_matches_is_what_matches_in_c() {
    let mut random = Random(number("S6X_SEED", 1) | 1);
    let (mut tally, mut wrong) = ([0; 3], Vec::new());
    for nth in 0..number("S6X_EXPRESSIONS", 40_000) {
        let dialect = Dialect { basic: random.below(3) == 0, ignores_case: random.below(4) == 0 };
        let expression = if nth % 2 == 0 {
            let depth = 2 + random.below(3);
            let inner = part(&mut random, depth, dialect.basic);
            let begin = random.pick(&["", "", "^", "\\b", "\\B", "\\<"]);
            [begin, &inner, random.pick(&["", "", "$", "\\b", "\\B", "\\>"])].concat()
        } else {
            (0..=random.below(7)).map(|_| random.pick(PIECES)).collect()
        };
        if is_left_out(&expression, dialect) {
            continue;
        }
        wrong.extend(compare(&expression, dialect, &mut random, &mut tally).err());
        if wrong.len() > 20 {
            break;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let [expressions, lines, matches] = tally;
    assert!(expressions > 10_000 && matches * 10 > lines, "{tally:?} is no fair trial");
}

/// Intervals aside: of what they repeat, the C library goes on to match nothing once more. And of what is
/// repeated otherwise, it chooses the shorter branch once in some ten thousand times.
#[test]
fn groups_match_what_they_match_in_c() {
    let mut random = Random(number("S6X_SEED", 1) | 1);
    let (mut compared, mut wrong) = (0, Vec::new());
    for _ in 0..number("S6X_EXPRESSIONS", 40_000) / 4 {
        let dialect = Dialect { basic: random.below(4) == 0, ignores_case: random.below(8) == 0 };
        let depth = 2 + random.below(3);
        let expression = format!("^{}$", part(&mut random, depth, dialect.basic));
        if expression.contains('{') {
            continue;
        }
        let ours = Regex::in_dialect(expression.as_bytes(), dialect).expect("a right one");
        let theirs = Theirs::new(expression.as_bytes(), dialect).expect("a right one");
        for _ in 0..10 {
            let text = line(&mut random);
            let Some(mine) = ours.find_groups(&text) else { continue };
            let found = theirs.find(&text, mine.len() - 1).expect("a match, too");
            compared += 1;
            if found != mine {
                let text = text.escape_ascii();
                wrong.push(format!("{expression} on \"{text}\": {mine:?}, theirs: {found:?}"));
            }
        }
    }
    assert!(wrong.len() * 1000 <= compared, "{}", wrong.join("\n"));
    assert!(compared > 1000, "{compared} lines are no fair trial");
}
