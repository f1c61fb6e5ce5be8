//! Typed access to `model.safetensors`.

use super::ModelError;
use crate::engine::{LayerNorm, Linear, Matrix, has_lowest_step};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// Suffix of the tensor that holds the scales of an 8-bit weight.
pub(super) const SCALE_SUFFIX: &str = "_scale";

const FLOATS: &str = "F32, F16 or BF16";
const FLOATS_OR_I8: &str = "F32, F16, BF16 or I8";

/// The tensors of a file, looked up by their names.
pub(super) struct Tensors<'data> {
    file: SafeTensors<'data>,
    prefix: &'static str,
}

impl<'data> Tensors<'data> {
    /// Reads the header; the tensors stay where they are until they are asked for.
    pub(super) fn new(bytes: &'data [u8]) -> Result<Tensors<'data>, ModelError> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| ModelError::NotSafetensors { reason: error.to_string() })?;
        Ok(Tensors { file, prefix: "" })
    }

    /// The same, where the encoder's tensors have a prefix if one of them does: a bare encoder is saved without the prefix that
    /// models with a head put before it.
    pub(super) fn prefixed(self, prefix: &'static str, one: &str) -> Tensors<'data> {
        let prefix = if self.contains(&format!("{prefix}{one}")) { prefix } else { "" };
        Tensors { prefix, ..self }
    }

    /// The full name of a tensor of the encoder.
    pub(super) fn encoder_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.file.tensor(name).is_ok()
    }

    /// How many numbers there are, without scales, and the types that they are stored in.
    pub(super) fn numbers(&self) -> (u64, Vec<String>) {
        let mut count = 0;
        let mut types = std::collections::BTreeSet::new();
        for (_, tensor) in self.file.iter().filter(|(name, _)| !name.ends_with(SCALE_SUFFIX)) {
            // The sizes were checked against the file's, so that this does not overflow.
            count += tensor.shape().iter().product::<usize>() as u64;
            types.insert(tensor.dtype().to_string());
        }
        (count, types.into_iter().collect())
    }

    /// A dense layer `[rows, cols]` with its bias.
    pub(super) fn linear(&self, name: &str, rows: usize, cols: usize) -> Result<Linear, ModelError> {
        let weight = self.matrix(&format!("{name}.weight"), rows, cols)?;
        Ok(Linear { weight, bias: self.vector(&format!("{name}.bias"), rows)? })
    }

    /// A dense layer whose bias may be absent, which then is zero.
    pub(super) fn linear_without_bias(&self, name: &str, rows: usize, cols: usize) -> Result<Linear, ModelError> {
        let weight = self.matrix(&format!("{name}.weight"), rows, cols)?;
        Ok(Linear { weight, bias: self.optional_bias(name, rows)? })
    }

    /// A layer normalisation whose bias may be absent, which then is zero.
    pub(super) fn layer_norm_without_bias(&self, name: &str, len: usize) -> Result<LayerNorm, ModelError> {
        let weight = self.vector(&format!("{name}.weight"), len)?;
        Ok(LayerNorm { weight, bias: self.optional_bias(name, len)? })
    }

    fn optional_bias(&self, name: &str, len: usize) -> Result<Vec<f32>, ModelError> {
        let bias = format!("{name}.bias");
        if self.contains(&bias) { self.vector(&bias, len) } else { Ok(vec![0.0; len]) }
    }

    /// A layer normalisation; checkpoints converted from TensorFlow call its parts gamma and beta.
    pub(super) fn layer_norm(&self, name: &str, len: usize) -> Result<LayerNorm, ModelError> {
        let (weight, bias) = match self.contains(&format!("{name}.gamma")) {
            true => ("gamma", "beta"),
            false => ("weight", "bias"),
        };
        Ok(LayerNorm {
            weight: self.vector(&format!("{name}.{weight}"), len)?,
            bias: self.vector(&format!("{name}.{bias}"), len)?,
        })
    }

    /// A vector `[len]` in single precision.
    pub(super) fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, ModelError> {
        self.values(name, &[len])
    }

    /// A tensor of floating-point numbers of any shape, row-major, in single precision.
    pub(super) fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        floats(name, &self.tensor(name, shape)?, FLOATS)
    }

    /// A matrix `[rows, cols]`, of 8-bit integers where the file has those.
    pub(super) fn matrix(&self, name: &str, rows: usize, cols: usize) -> Result<Matrix, ModelError> {
        let tensor = self.tensor(name, &[rows, cols])?;
        if tensor.dtype() != Dtype::I8 {
            return Ok(Matrix::F32 { rows, cols, data: floats(name, &tensor, FLOATS_OR_I8)? });
        }
        let scales = self.scales(&format!("{name}{SCALE_SUFFIX}"), rows)?;
        let data: Vec<i8> = tensor.data().iter().map(|&byte| byte as i8).collect();
        // Kernels rely on -127..=127. Quantisers that use -128 are rare, and floats lose nothing of what they wrote.
        if has_lowest_step(&data) {
            return Ok(Matrix::F32 { rows, cols, data: dequantise(&data, &scales, cols) });
        }
        Ok(Matrix::I8 { rows, cols, data, scales })
    }

    /// Scales of an 8-bit matrix, `[rows]` or `[rows, 1]`.
    fn scales(&self, name: &str, rows: usize) -> Result<Vec<f32>, ModelError> {
        let shape: &[usize] = match self.file.tensor(name) {
            Ok(tensor) if tensor.shape().len() == 2 => &[rows, 1],
            _ => &[rows],
        };
        let scales = floats(name, &self.tensor(name, shape)?, FLOATS)?;
        match scales.iter().find(|scale| scale.is_sign_negative()) {
            Some(&got) => Err(ModelError::NotFinite { name: name.to_owned(), got }),
            None => Ok(scales),
        }
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<TensorView<'data>, ModelError> {
        let tensor = self.file.tensor(name).map_err(|_| ModelError::MissingTensor { name: name.to_owned() })?;
        if tensor.shape() != shape {
            let (expected, got) = (shape.to_vec(), tensor.shape().to_vec());
            return Err(ModelError::WrongShape { name: name.to_owned(), expected, got });
        }
        Ok(tensor)
    }
}

/// `data[row, col] * scales[row]`.
pub(super) fn dequantise(data: &[i8], scales: &[f32], cols: usize) -> Vec<f32> {
    data.chunks_exact(cols)
        .zip(scales)
        .flat_map(|(row, scale)| row.iter().map(move |&v| f32::from(v) * scale))
        .collect()
}

fn floats(name: &str, tensor: &TensorView<'_>, expected: &'static str) -> Result<Vec<f32>, ModelError> {
    let bytes = tensor.data();
    let half = |convert: fn(u16) -> f32| -> Vec<f32> {
        bytes.as_chunks().0.iter().map(|&pair| convert(u16::from_le_bytes(pair))).collect()
    };
    let data: Vec<f32> = match tensor.dtype() {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|&quad| f32::from_le_bytes(quad)).collect(),
        Dtype::F16 => half(f16_to_f32),
        Dtype::BF16 => half(|bits| f32::from_bits(u32::from(bits) << 16)),
        other => {
            let got = other.to_string();
            return Err(ModelError::UnsupportedDtype { name: name.to_owned(), expected, got });
        }
    };
    match data.iter().find(|value| !value.is_finite()) {
        Some(&got) => Err(ModelError::NotFinite { name: name.to_owned(), got }),
        None => Ok(data),
    }
}

/// IEEE 754 binary16 to binary32, exact.
fn f16_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff);
    if magnitude >= 0x7c00 {
        return f32::from_bits(sign | 0x7f80_0000 | (magnitude & 0x3ff) << 13);
    }
    // Shifting the exponent into place leaves it 112 too small; multiplying by 2^112 repairs it, subnormals included.
    let scaled = f32::from_bits(magnitude << 13) * f32::from_bits((127 + 112) << 23);
    f32::from_bits(sign | scaled.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tensors: &[(&str, Dtype, &[usize], Vec<u8>)]) -> Vec<u8> {
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, data)| (*name, TensorView::new(*dtype, shape.to_vec(), data).unwrap()));
        safetensors::serialize(views, None).unwrap()
    }

    fn f32s(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn half_precision_is_read_exactly() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x7bff, 65504.0),
            (0x0001, 2f32.powi(-24)),
            (0x03ff, 1023.0 * 2f32.powi(-24)),
            (0x0400, 2f32.powi(-14)),
        ] {
            assert_eq!(f16_to_f32(bits), value);
        }
        assert_eq!(f16_to_f32(0xfc00), f32::NEG_INFINITY);
        assert!(f16_to_f32(0x7e00).is_nan());
        let bytes = file(&[
            ("half", Dtype::F16, &[2], vec![0x00, 0x3c, 0x00, 0xc0]),
            ("brain", Dtype::BF16, &[2], vec![0x80, 0x3f, 0x20, 0xc0]),
        ]);
        let tensors = Tensors::new(&bytes).unwrap();
        assert_eq!(tensors.vector("half", 2).unwrap(), [1.0, -2.0]);
        assert_eq!(tensors.vector("brain", 2).unwrap(), [1.0, -2.5]);
    }

    #[test]
    fn eight_bit_matrices_come_with_scales_of_either_shape() {
        let bytes = file(&[
            ("a", Dtype::I8, &[2, 2], vec![1, 255, 127, 0]),
            ("a_scale", Dtype::F32, &[2], f32s(&[0.5, 2.0])),
            ("b", Dtype::I8, &[2, 2], vec![1, 255, 127, 128]),
            ("b_scale", Dtype::F32, &[2, 1], f32s(&[0.5, 2.0])),
            ("c", Dtype::I8, &[1, 1], vec![1]),
            ("d", Dtype::I8, &[1, 1], vec![1]),
            ("d_scale", Dtype::F32, &[1], f32s(&[-1.0])),
        ]);
        let tensors = Tensors::new(&bytes).unwrap();
        let expected = Matrix::I8 { rows: 2, cols: 2, data: vec![1, -1, 127, 0], scales: vec![0.5, 2.0] };
        assert_eq!(tensors.matrix("a", 2, 2).unwrap(), expected);
        let expected = Matrix::F32 { rows: 2, cols: 2, data: vec![0.5, -0.5, 254.0, -256.0] };
        assert_eq!(tensors.matrix("b", 2, 2).unwrap(), expected);
        assert!(matches!(tensors.matrix("c", 1, 1), Err(ModelError::MissingTensor { name }) if name == "c_scale"));
        assert!(matches!(tensors.matrix("d", 1, 1), Err(ModelError::NotFinite { .. })));
    }

    #[test]
    fn absent_misshapen_foreign_and_infinite_tensors_are_told_apart() {
        let bytes = file(&[
            ("wide", Dtype::F32, &[1, 2], f32s(&[1.0, 2.0])),
            ("int", Dtype::I64, &[1], vec![0; 8]),
            ("inf", Dtype::F32, &[1], f32s(&[f32::INFINITY])),
        ]);
        let tensors = Tensors::new(&bytes).unwrap();
        assert!(matches!(tensors.vector("none", 1), Err(ModelError::MissingTensor { .. })));
        let error = tensors.matrix("wide", 2, 1).unwrap_err();
        assert!(matches!(error, ModelError::WrongShape { expected, got, .. } if expected == [2, 1] && got == [1, 2]));
        let error = tensors.vector("int", 1).unwrap_err();
        assert!(matches!(error, ModelError::UnsupportedDtype { got, .. } if got == "I64"));
        assert!(matches!(tensors.vector("inf", 1), Err(ModelError::NotFinite { got, .. }) if got == f32::INFINITY));
        for bytes in [&b""[..], b"not a model", &bytes[..bytes.len() - 1], &[255; 64]] {
            assert!(matches!(Tensors::new(bytes), Err(ModelError::NotSafetensors { .. })));
        }
    }
}
