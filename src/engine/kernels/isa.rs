//! Instruction sets: detection, names, dispatch.

#[cfg(target_arch = "x86_64")]
use super::avx2::{Avx2, AvxVnni};
#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
#[cfg(target_arch = "aarch64")]
use super::neon::{Neon, NeonDot};
use super::scalar::Scalar;
use super::simd::Simd;
use std::fmt;

/// An instruction set that the engine has kernels for, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstructionSet {
    /// AMX with int8 beside AVX-512 with VNNI (x86-64).
    AmxInt8,
    /// AVX-512 F, BW, DQ, VL with VNNI (x86-64).
    Avx512Vnni,
    /// AVX2 and FMA with the 256-bit AVX-VNNI (x86-64).
    AvxVnni,
    /// AVX2 and FMA (x86-64).
    Avx2,
    /// NEON with the dot product extension (aarch64).
    NeonDot,
    /// NEON (aarch64).
    Neon,
    /// Portable code.
    Scalar,
}

impl InstructionSet {
    /// All of them, best first.
    pub const ALL: [InstructionSet; 7] = [
        InstructionSet::AmxInt8,
        InstructionSet::Avx512Vnni,
        InstructionSet::AvxVnni,
        InstructionSet::Avx2,
        InstructionSet::NeonDot,
        InstructionSet::Neon,
        InstructionSet::Scalar,
    ];

    /// The best one that this CPU has; or the one that the environment variable `COPYDESK_ISA` names, if the CPU has it, for
    /// comparisons. All give the same results.
    pub fn detect() -> InstructionSet {
        Self::choose(std::env::var("COPYDESK_ISA").ok().as_deref())
    }

    fn choose(named: Option<&str>) -> InstructionSet {
        let named = named.and_then(|name| Self::available().find(|isa| isa.as_str() == name));
        named.or_else(|| Self::available().next()).unwrap_or(InstructionSet::Scalar)
    }

    /// Those that this CPU has, best first. [`InstructionSet::Scalar`] is always among them.
    pub fn available() -> impl Iterator<Item = InstructionSet> {
        Self::ALL.into_iter().filter(|isa| isa.token().is_some())
    }

    /// The name used on the command line and in reports, such as `avx512-vnni`.
    pub const fn as_str(self) -> &'static str {
        match self {
            InstructionSet::AmxInt8 => "amx-int8",
            InstructionSet::Avx512Vnni => "avx512-vnni",
            InstructionSet::AvxVnni => "avx-vnni",
            InstructionSet::Avx2 => "avx2",
            InstructionSet::NeonDot => "neon-dot",
            InstructionSet::Neon => "neon",
            InstructionSet::Scalar => "scalar",
        }
    }

    /// Proof that this CPU has the instructions, or `None`.
    pub fn token(self) -> Option<Token> {
        match self {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::AmxInt8 => Avx512::with_tiles().map(Token::Avx512Vnni),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512Vnni => Avx512::new().map(Token::Avx512Vnni),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::AvxVnni => AvxVnni::new().map(Token::AvxVnni),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => Avx2::new().map(Token::Avx2),
            #[cfg(target_arch = "aarch64")]
            InstructionSet::NeonDot => NeonDot::new().map(Token::NeonDot),
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon => Neon::new().map(Token::Neon),
            InstructionSet::Scalar => Some(Token::Scalar(Scalar)),
            #[allow(unreachable_patterns)]
            _ => None,
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An instruction set that this CPU was found to have.
#[derive(Clone, Copy, Debug)]
pub enum Token {
    /// AVX-512 VNNI, with AMX or without.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(Avx512),
    /// AVX-VNNI.
    #[cfg(target_arch = "x86_64")]
    AvxVnni(AvxVnni),
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// NEON with dot product.
    #[cfg(target_arch = "aarch64")]
    NeonDot(NeonDot),
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    /// Portable code.
    Scalar(Scalar),
}

/// Code that is generic over the instruction set.
pub trait Dispatched {
    /// What it returns.
    type Output;
    /// Runs with one instruction set.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// Runs generic code with the instruction set of a token.
pub fn dispatch<D: Dispatched>(token: Token, code: D) -> D::Output {
    match token {
        #[cfg(target_arch = "x86_64")]
        Token::Avx512Vnni(s) => code.run(s),
        #[cfg(target_arch = "x86_64")]
        Token::AvxVnni(s) => code.run(s),
        #[cfg(target_arch = "x86_64")]
        Token::Avx2(s) => code.run(s),
        #[cfg(target_arch = "aarch64")]
        Token::NeonDot(s) => code.run(s),
        #[cfg(target_arch = "aarch64")]
        Token::Neon(s) => code.run(s),
        Token::Scalar(s) => code.run(s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_set_is_chosen_by_name_where_the_cpu_has_it() {
        let best = InstructionSet::available().next();
        assert_eq!(InstructionSet::choose(Some("scalar")), InstructionSet::Scalar);
        for name in [None, Some(""), Some("mmx")] {
            assert_eq!(Some(InstructionSet::choose(name)), best, "{name:?}");
        }
    }
}
