//! Bytes to programs.  Nothing is trusted: any bytes give a program or an error.
//!
//! A decoded program is well-formed as data and nothing more; whether it may
//! run is the verifier's question.  Memory is at most a small multiple of the
//! input, whatever lengths the input claims.

use super::wire::{
    self, CAPTURE_CELL, CAPTURE_OUTER, CAPTURE_VALUE, FINGERPRINT, FORMS, Form, MAGIC,
    function_bits, method_bits, unfold,
};
use super::{
    ArgKind, BuiltinSite, CallSite, Capture, Constant, ForeignSite, ForeignType, Function,
    FunctionFlags, FunctionId, FunctionInfo, Handler, MethodSite, ModuleInfo, Op, Path, Position,
    Program, Step, StructInfo, StructSite, Var, VariantSite,
};
use crate::heap::VariantKind;
use crate::names::WELL_KNOWN;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// The program that `encode` made these bytes of.
///
/// # Errors
/// If they are something else.
pub fn decode(bytes: &[u8]) -> Result<Program, DecodeError> {
    let mut reader = Reader { bytes, at: 0 };
    reader.program().map_err(|fault| DecodeError {
        offset: reader.at,
        fault,
    })
}

/// Why bytes are no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where it was noticed.
    pub offset: usize,
    pub fault: DecodeFault,
}

/// What is wrong with encoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeFault {
    /// They don't start as encoded programs do.
    NoProgram,
    /// They were made with another set of instructions.
    OtherVersion,
    /// They end too early.
    Truncated,
    /// They go on after the program.
    TrailingBytes,
    /// A number is too large for what it stands for.
    Number,
    /// A mark or set of bits stands for nothing.
    Mark,
    /// A text is not UTF-8.
    Text,
    /// There is no such instruction, or an operand of it stands for nothing.
    Instruction,
}

impl DecodeFault {
    /// What is wrong, as a clause.
    pub const fn text(self) -> &'static str {
        match self {
            DecodeFault::NoProgram => "this is not an encoded program",
            DecodeFault::OtherVersion => "the program was encoded by another version",
            DecodeFault::Truncated => "the program is cut off",
            DecodeFault::TrailingBytes => "something follows the program",
            DecodeFault::Number => "a number is too large",
            DecodeFault::Mark => "a mark has no meaning",
            DecodeFault::Text => "a text is not valid UTF-8",
            DecodeFault::Instruction => "an instruction has no meaning",
        }
    }
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            out,
            "invalid bytecode at byte {}: {}",
            self.offset,
            self.fault.text()
        )
    }
}

impl core::error::Error for DecodeError {}

type Read<T> = Result<T, DecodeFault>;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn program(&mut self) -> Read<Program> {
        if self.take(MAGIC.len()) != Ok(&MAGIC) {
            return Err(DecodeFault::NoProgram);
        }
        if self.take(4)? != FINGERPRINT.to_le_bytes() {
            return Err(DecodeFault::OtherVersion);
        }
        // Tables are filled in their places, as moving each would be much code.
        let mut program = Program::default();
        self.names(&mut program.names)?;
        self.fill(&mut program.constants, Reader::constant)?;
        self.fill(&mut program.builtins, Reader::text)?;
        self.fill(&mut program.globals, Reader::number)?;
        self.fill(&mut program.files, Reader::text)?;
        self.fill(&mut program.paths, Reader::path)?;
        self.fill(&mut program.call_sites, Reader::call_site)?;
        self.fill(&mut program.method_sites, Reader::method_site)?;
        self.fill(&mut program.builtin_sites, Reader::builtin_site)?;
        self.fill(&mut program.struct_sites, Reader::struct_site)?;
        self.fill(&mut program.variant_sites, Reader::variant_site)?;
        self.fill(&mut program.foreign_sites, Reader::foreign_site)?;
        self.fill(&mut program.name_lists, Reader::numbers)?;
        self.fill(&mut program.structs, Reader::struct_info)?;
        self.functions(&mut program.functions)?;
        self.fill(&mut program.modules, Reader::module_info)?;
        program.main = self.number()?;
        if self.at < self.bytes.len() {
            return Err(DecodeFault::TrailingBytes);
        }
        Ok(program)
    }

    // ---- parts of everything

    fn byte(&mut self) -> Read<u8> {
        let byte = *self.bytes.get(self.at).ok_or(DecodeFault::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or(DecodeFault::Truncated)?;
        self.at += len;
        Ok(taken)
    }

    #[inline(never)]
    fn long(&mut self) -> Read<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeFault::Number)
    }

    fn number(&mut self) -> Read<u32> {
        u32::try_from(self.long()?).map_err(|_| DecodeFault::Number)
    }

    fn difference(&mut self, base: u32) -> Read<u32> {
        let difference = i32::try_from(unfold(self.long()?)).map_err(|_| DecodeFault::Number)?;
        Ok(base.wrapping_add(difference as u32))
    }

    fn option(&mut self) -> Read<Option<u32>> {
        let Some(value) = self.long()?.checked_sub(1) else {
            return Ok(None);
        };
        u32::try_from(value)
            .map(Some)
            .map_err(|_| DecodeFault::Number)
    }

    /// A number of things that take at least a byte each.
    fn count(&mut self) -> Read<usize> {
        let count = self.long()?;
        let rest = self.bytes.len() - self.at;
        if count > rest as u64 {
            return Err(DecodeFault::Truncated);
        }
        Ok(count as usize)
    }

    fn text(&mut self) -> Read<Box<str>> {
        let len = self.count()?;
        let text = core::str::from_utf8(self.take(len)?).map_err(|_| DecodeFault::Text)?;
        Ok(text.into())
    }

    fn list<T>(&mut self, read: impl FnMut(&mut Reader<'a>) -> Read<T>) -> Read<Vec<T>> {
        let mut items = Vec::new();
        self.fill(&mut items, read)?;
        Ok(items)
    }

    fn fill<T>(
        &mut self,
        items: &mut Vec<T>,
        mut read: impl FnMut(&mut Reader<'a>) -> Read<T>,
    ) -> Read<()> {
        let count = self.count()?;
        items.reserve_exact(count);
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(())
    }

    fn numbers(&mut self) -> Read<Vec<u32>> {
        self.list(Reader::number)
    }

    fn flag(&mut self) -> Read<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeFault::Mark),
        }
    }

    /// A byte in which only these bits may be set.
    fn bits(&mut self, allowed: u8) -> Read<u8> {
        let bits = self.byte()?;
        if bits & !allowed == 0 {
            Ok(bits)
        } else {
            Err(DecodeFault::Mark)
        }
    }

    // ---- tables

    fn names(&mut self, names: &mut Vec<Box<str>>) -> Read<()> {
        let known = WELL_KNOWN
            .get(..self.number()? as usize)
            .ok_or(DecodeFault::Number)?;
        let count = self.count()?;
        names.reserve_exact(known.len() + count);
        names.extend(known.iter().map(|name| Box::from(*name)));
        for _ in 0..count {
            names.push(self.text()?);
        }
        Ok(())
    }

    fn constant(&mut self) -> Read<Constant> {
        match self.byte()? {
            0 => Ok(Constant::Int(unfold(self.long()?))),
            1 => {
                let mut bits = [0; 8];
                bits.copy_from_slice(self.take(8)?);
                Ok(Constant::Float(f64::from_bits(u64::from_le_bytes(bits))))
            }
            2 => Ok(Constant::Str(self.text()?)),
            _ => Err(DecodeFault::Mark),
        }
    }

    fn path(&mut self) -> Read<Path> {
        Ok(Path {
            root: Var(self.variable()?),
            name: self.number()?,
            steps: self.list(|reader| Ok(reader.option()?.map_or(Step::Index, Step::Field)))?,
        })
    }

    fn args(&mut self) -> Read<Vec<ArgKind>> {
        self.list(|reader| match reader.long()? {
            0 => Ok(ArgKind::One),
            1 => Ok(ArgKind::Spread),
            name => u32::try_from(name - 2)
                .map(ArgKind::Named)
                .map_err(|_| DecodeFault::Number),
        })
    }

    fn call_site(&mut self) -> Read<CallSite> {
        Ok(CallSite { args: self.args()? })
    }

    fn method_site(&mut self) -> Read<MethodSite> {
        let bits = self.bits(method_bits::ALL)?;
        let has = |bit| bits & bit != 0;
        Ok(MethodSite {
            early: has(method_bits::EARLY),
            take: has(method_bits::TAKE),
            name: self.number()?,
            args: self.args()?,
            place: if has(method_bits::PLACE) {
                Some(self.path()?)
            } else {
                None
            },
            immutable: if has(method_bits::IMMUTABLE) {
                Some(self.number()?)
            } else {
                None
            },
        })
    }

    fn builtin_site(&mut self) -> Read<BuiltinSite> {
        Ok(BuiltinSite {
            early: self.flag()?,
            builtin: self.number()?,
            place: self.path()?,
            argc: self.number()?,
        })
    }

    fn struct_site(&mut self) -> Read<StructSite> {
        Ok(StructSite {
            has_def: self.flag()?,
            name: self.number()?,
            fields: self.numbers()?,
            declaration: self.option()?,
        })
    }

    fn variant_site(&mut self) -> Read<VariantSite> {
        const KINDS: [VariantKind; 5] = [
            VariantKind::Ok,
            VariantKind::Err,
            VariantKind::Some,
            VariantKind::None,
            VariantKind::Tagged,
        ];
        Ok(VariantSite {
            kind: *KINDS.get(self.byte()? as usize).ok_or(DecodeFault::Mark)?,
            enum_name: self.option()?,
            name: self.option()?,
        })
    }

    fn foreign_site(&mut self) -> Read<ForeignSite> {
        let name = self.text()?;
        let symbol = self.text()?;
        let has_library = self.flag()?;
        let library = self.text()?;
        Ok(ForeignSite {
            name,
            symbol,
            library: has_library.then_some(library),
            params: self.list(Reader::foreign_type)?,
            result: self.foreign_type()?,
        })
    }

    fn foreign_type(&mut self) -> Read<ForeignType> {
        let found = ForeignType::ALL.get(self.byte()? as usize);
        found.copied().ok_or(DecodeFault::Mark)
    }

    fn struct_info(&mut self) -> Read<StructInfo> {
        Ok(StructInfo {
            name: self.number()?,
            fields: self.numbers()?,
            methods: self.pairs()?,
            defaults: self.pairs()?,
        })
    }

    fn module_info(&mut self) -> Read<ModuleInfo> {
        Ok(ModuleInfo {
            name: self.number()?,
            body: self.number()?,
            state: self.number()?,
            unsure: self.pairs()?,
        })
    }

    fn pairs(&mut self) -> Read<Vec<(u32, u32)>> {
        self.list(|reader| Ok((reader.number()?, reader.number()?)))
    }

    // ---- functions

    fn functions(&mut self, functions: &mut Vec<Function>) -> Read<()> {
        let mut id = 0;
        self.fill(functions, |reader| {
            let function = reader.function(id)?;
            id += 1;
            Ok(function)
        })
    }

    fn function(&mut self, id: FunctionId) -> Read<Function> {
        let bits = self.bits(function_bits::ALL)?;
        let has = |bit| bits & bit != 0;
        let flags = FunctionFlags {
            is_method: has(function_bits::METHOD),
            is_static: has(function_bits::STATIC),
            changes_self: has(function_bits::CHANGES_SELF),
            is_generator: has(function_bits::GENERATOR),
            is_async: has(function_bits::ASYNC),
            is_top_level: has(function_bits::TOP_LEVEL),
        };
        let name = String::from(self.text()?);
        let info = FunctionInfo {
            name,
            id,
            params: self.numbers()?,
            flags,
        };
        let mut function = Function {
            info,
            slots: self.number()?,
            max_stack: self.number()?,
            captures: self.list(Reader::capture)?,
            positions: self.positions()?,
            ..Function::default()
        };
        if has(function_bits::BODY) {
            function.loops = self.number()?;
            function.slot_names = self.numbers()?;
            function.handlers = self.list(Reader::handler)?;
            function.code = self.code()?;
        }
        Ok(function)
    }

    fn capture(&mut self) -> Read<Capture> {
        let word = self.long()?;
        let number = u32::try_from(word >> 2).map_err(|_| DecodeFault::Number)?;
        match word as u32 & 3 {
            CAPTURE_CELL => Ok(Capture::Cell(number)),
            CAPTURE_VALUE => Ok(Capture::Value(number)),
            CAPTURE_OUTER => Ok(Capture::Outer(number)),
            _ => Err(DecodeFault::Mark),
        }
    }

    fn positions(&mut self) -> Read<Vec<(u32, Position)>> {
        let mut last = (0, Position::default());
        self.list(|reader| {
            let pc = reader.difference(last.0)?;
            let word = reader.long()?;
            let lines = i32::try_from(unfold(word >> 1)).map_err(|_| DecodeFault::Number)?;
            let file = if word & 1 != 0 {
                reader.number()?
            } else {
                last.1.file
            };
            let line = last.1.line.wrapping_add(lines as u32);
            last = (
                pc,
                Position {
                    file,
                    line,
                    column: reader.number()?,
                },
            );
            Ok(last)
        })
    }

    fn handler(&mut self) -> Read<Handler> {
        let start = self.number()?;
        let end = self.difference(start)?;
        let target = self.difference(end)?;
        Ok(Handler {
            start,
            end,
            target,
            depth: self.number()?,
        })
    }

    fn code(&mut self) -> Read<Vec<Op>> {
        let mut pc = 0;
        self.list(|reader| {
            let op = reader.op(pc)?;
            pc += 1;
            Ok(op)
        })
    }

    fn op(&mut self, pc: u32) -> Read<Op> {
        let number = self.byte()?;
        let forms = FORMS.get(number as usize).ok_or(DecodeFault::Instruction)?;
        let mut words = [0; 2];
        for (form, word) in forms.iter().zip(&mut words) {
            *word = match form {
                Form::Nothing => break,
                Form::Number => self.number()?,
                Form::Signed => self.difference(0)?,
                Form::Target => self.difference(pc)?,
                Form::Variable => self.variable()?,
            };
        }
        wire::join(number, words).ok_or(DecodeFault::Instruction)
    }

    fn variable(&mut self) -> Read<u32> {
        Ok(self.number()?.rotate_right(2))
    }
}
