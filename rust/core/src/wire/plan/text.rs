//! Texts of the plan: bytes with placeholders, filled in when they are used.

use crate::wire::environment::Environment;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A text with its placeholders found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Piece>);

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Vec<u8>),
    Run,
    Cwd,
    Uid,
    Variable(Vec<u8>),
    Name,
    Code,
    Word,
}

/// A placeholder that only some texts may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// `{name}`
    Name,
    /// `{code}`
    Code,
    /// `{word}`
    Word,
}

/// What placeholders stand for in this container.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The runtime directory; empty while it is not chosen yet.
    pub run: Vec<u8>,
    /// The working directory that init was started in.
    pub cwd: Vec<u8>,
    /// Our effective user id.
    pub uid: u32,
    /// The container's environment.
    pub env: Environment,
}

/// What the extra placeholders stand for, this time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words<'a> {
    /// `{name}`: a script, or a file of rules.
    pub name: &'a [u8],
    /// `{code}`: how it ended.
    pub code: u16,
    /// `{word}`: the first word of CMD.
    pub word: &'a [u8],
}

impl Text {
    /// Finds the placeholders; one that is neither usual nor in `extra` is an error.
    pub fn parse(bytes: &[u8], extra: &[Extra]) -> Result<Text, String> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte == 0 {
                return Err("it holds a NUL".to_owned());
            }
            if byte != b'{' {
                literal.push(byte);
            } else if let Some(after) = rest.strip_prefix(b"{") {
                literal.push(b'{');
                rest = after;
            } else {
                let end = rest.iter().position(|&byte| byte == b'}');
                let Some((word, after)) = end.and_then(|end| rest.split_at_checked(end)) else {
                    return Err("a brace is never closed".to_owned());
                };
                rest = after.get(1..).unwrap_or(&[]);
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(placeholder(word, extra)?);
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Text(pieces))
    }

    /// Whether there is nothing to print.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes with every placeholder filled in.
    pub fn fill(&self, facts: &Facts, words: Words<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => bytes.extend_from_slice(literal),
                Piece::Run => bytes.extend_from_slice(&facts.run),
                Piece::Cwd => bytes.extend_from_slice(&facts.cwd),
                Piece::Uid => bytes.extend_from_slice(facts.uid.to_string().as_bytes()),
                Piece::Variable(name) => {
                    let value = facts.env.lookup(OsStr::from_bytes(name));
                    bytes.extend_from_slice(value.unwrap_or_default().as_bytes());
                }
                Piece::Name => bytes.extend_from_slice(words.name),
                Piece::Code => bytes.extend_from_slice(words.code.to_string().as_bytes()),
                Piece::Word => bytes.extend_from_slice(words.word),
            }
        }
        bytes
    }

    /// The same without extra placeholders, for paths.
    pub fn plain(&self, facts: &Facts) -> Vec<u8> {
        self.fill(facts, Words::default())
    }

    /// Whether it names any variable.
    pub fn names_variables(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Variable(_)))
    }

    /// Whether every variable that it names is set and not empty.
    pub fn is_given(&self, facts: &Facts) -> bool {
        self.0.iter().all(|piece| match piece {
            Piece::Variable(name) => facts.env.filled(OsStr::from_bytes(name)).is_some(),
            Piece::Literal(_)
            | Piece::Run
            | Piece::Cwd
            | Piece::Uid
            | Piece::Name
            | Piece::Code
            | Piece::Word => true,
        })
    }
}

fn placeholder(word: &[u8], extra: &[Extra]) -> Result<Piece, String> {
    match word {
        b"run" => return Ok(Piece::Run),
        b"cwd" => return Ok(Piece::Cwd),
        b"uid" => return Ok(Piece::Uid),
        b"name" if extra.contains(&Extra::Name) => return Ok(Piece::Name),
        b"code" if extra.contains(&Extra::Code) => return Ok(Piece::Code),
        b"word" if extra.contains(&Extra::Word) => return Ok(Piece::Word),
        _ => {}
    }
    match word.strip_prefix(b"env:") {
        Some(name) if !name.is_empty() && !name.contains(&b'=') && !name.contains(&0) => {
            Ok(Piece::Variable(name.to_vec()))
        }
        Some(_) | None => Err(format!("unknown placeholder {{{}}}", String::from_utf8_lossy(word))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts() -> Facts {
        let env = Environment::new(["A=x".into(), "E=".into()]);
        Facts { run: b"/run/s6".to_vec(), cwd: b"/tmp".to_vec(), uid: 7, env }
    }

    #[test]
    fn placeholders_are_filled() {
        let text = Text::parse(b"{run}/{uid}{{a}}{env:A}{env:E}-{cwd}{code}", &[Extra::Code]);
        let words = Words { code: 265, ..Words::default() };
        let filled = text.expect("well-formed").fill(&facts(), words);
        assert_eq!(filled, b"/run/s6/7{a}}x-/tmp265");
    }

    #[test]
    fn unknown_placeholders_are_errors() {
        for (text, why) in [
            ("a{", "never closed"),
            ("{runn}", "unknown placeholder {runn}"),
            ("{code}", "unknown placeholder {code}"),
            ("{env:}", "unknown placeholder {env:}"),
            ("a\0", "NUL"),
            ("{env:a\0}", "unknown placeholder"),
        ] {
            let error = Text::parse(text.as_bytes(), &[]).expect_err(text);
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_text_is_given_when_its_variables_are() {
        let given = |text: &str| Text::parse(text.as_bytes(), &[]).expect(text).is_given(&facts());
        assert!(given("/a/{env:A}") && !given("{env:E}/x") && !given("{env:NO}"));
    }

    proptest! {
        #[test]
        fn escaped_bytes_come_back(bytes in prop::collection::vec(1_u8.., 0..60)) {
            let escaped: Vec<u8> =
                bytes.iter().flat_map(|&b| if b == b'{' { vec![b, b] } else { vec![b] }).collect();
            let text = Text::parse(&escaped, &[]).expect("no placeholders");
            prop_assert_eq!(text.plain(&facts()), bytes);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Text::parse(&bytes, &[Extra::Name]);
        }
    }
}
