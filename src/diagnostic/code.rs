//! Every diagnostic code, once, and what follows from it.

/// Who speaks.  Decides the label, the advice and the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Lexer,
    Parser,
    /// Checks made after parsing; the name is what users know from the VM.
    Vm,
    Cli,
    /// Remarks about types, which never stop a program.
    Check,
}

impl Stage {
    pub fn label(self) -> &'static str {
        match self {
            Self::Lexer => "lexer",
            Self::Parser => "parser",
            Self::Vm => "vm",
            Self::Cli => "cli",
            Self::Check => "check",
        }
    }

    pub fn help(self) -> Option<&'static str> {
        match self {
            Self::Lexer => Some("Fix the lexical error in source and run again."),
            Self::Parser => Some("Fix the parse error and rerun Ruff."),
            Self::Vm | Self::Cli | Self::Check => None,
        }
    }

    pub fn exit_status(self) -> i32 {
        match self {
            Self::Lexer | Self::Parser => 3,
            Self::Vm => 4,
            Self::Cli => 5,
            Self::Check => 0,
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal $stage:ident $prefix:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code as users see it.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            pub fn stage(self) -> Stage {
                match self { $(Self::$name => Stage::$stage,)* }
            }

            /// What stands in front of every message with this code.
            pub fn prefix(self) -> &'static str {
                match self { $(Self::$name => $prefix,)* }
            }
        }
    };
}

codes! {
    InvalidCharacter = "RUFLEX001" Lexer "";
    NullByte = "RUFLEX002" Lexer "";
    Unterminated = "RUFLEX003" Lexer "";
    UnterminatedComment = "RUFLEX004" Lexer "";
    InvalidEscape = "RUFLEX005" Lexer "";
    NumberOverflow = "RUFLEX006" Lexer "";
    MalformedNumber = "RUFLEX007" Lexer "";
    IdentifierTooLong = "RUFLEX008" Lexer "";
    StringTooLong = "RUFLEX009" Lexer "";
    NumberTooLong = "RUFLEX010" Lexer "";

    Syntax = "RUFPARSE001" Parser "";

    /// A program that parses and still cannot mean anything.
    Compilation = "RUFVM001" Vm "Compilation error: ";

    UnreadableFile = "RUFCLI001" Cli "";

    BindingType = "RUFCHECK001" Check "";
    ArgumentType = "RUFCHECK002" Check "";
    ArgumentCount = "RUFCHECK003" Check "";
    ReturnType = "RUFCHECK004" Check "";
    AssignmentType = "RUFCHECK005" Check "";
    OperandType = "RUFCHECK006" Check "";
    UndefinedFunction = "RUFCHECK007" Check "";
    UndefinedVariable = "RUFCHECK008" Check "";
    /// A field or method that a value certainly lacks.
    UnknownMember = "RUFCHECK009" Check "";
    Unreachable = "RUFCHECK010" Check "";
    Unused = "RUFCHECK011" Check "";
    MissingClause = "RUFCHECK012" Check "";
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::HashSet;

    #[test]
    fn no_code_is_given_twice() {
        let texts: HashSet<_> = Code::ALL.iter().map(|code| code.text()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
