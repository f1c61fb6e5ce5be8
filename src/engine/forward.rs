//! The forward pass, once for both arithmetics.

use super::kernels::attention_f32::AttentionF32;
use super::kernels::attention_first::AttentionFirst;
use super::kernels::attention_i8::AttentionI8;
use super::kernels::gemm_f32::PackedF32;
use super::kernels::gemm_i8::PackedI8;
use super::kernels::isa::Dispatched;
use super::kernels::linear::{Finish, LinearF32, LinearI8};
use super::kernels::rows::{AddRow, FinishRows, Norm, Quantised, TableRow};
use super::kernels::{DistanceBias, Lanes, Simd, flatten, grow};
use super::pack::{Embedding, FirstToken, Layer, Shape};
use super::weights::Matrix;
use super::workspace::{Rows, Workspace};
use std::ops::Range;

/// Sequences are taken through a layer in groups of about this many tokens, so that a group's activations stay in the
/// L2 cache between operations while each panel of weights is still used often.
const GROUP_TOKENS: usize = 192;
/// Rows whose intermediate states (four times as wide as the rest) are held at a time.
const INTERMEDIATE_ROWS: usize = 96;
/// First tokens that go through the last layer's attention together; a multiple of every instruction set's tile.
const FIRST_TOKENS: usize = 12;

/// Which vectors are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Of the first token of every sequence.
    First,
    /// Of all tokens.
    All,
}

/// One arithmetic for linear layers and attention.
pub(super) trait Arithmetic {
    /// Weights in kernel order.
    type Packed;
    /// Whether activations are wanted as u8.
    const QUANTISED: bool;

    /// A linear layer over some rows of `input`.
    fn linear<S: Simd>(s: S, weights: &Self::Packed, input: &Rows, rows: Range<usize>, finish: Finish<'_>);

    /// Attention of one sequence's queries over its keys and values.
    fn attention<S: Simd>(s: S, shape: &Shape, sequence: Attention<'_>);
}

/// One sequence's part of the buffers.
pub(super) struct Attention<'a> {
    queries: &'a [Lanes],
    keys_values: &'a [Lanes],
    bias: Option<DistanceBias<'a>>,
    to: &'a mut [Lanes],
    workspace: (&'a mut super::kernels::attention_f32::ScratchF32, &'a mut super::kernels::attention_i8::ScratchI8),
}

/// Single precision.
pub(super) struct F32;

impl Arithmetic for F32 {
    type Packed = PackedF32;
    const QUANTISED: bool = false;

    fn linear<S: Simd>(s: S, weights: &PackedF32, input: &Rows, rows: Range<usize>, finish: Finish<'_>) {
        let values = &input.values[rows.start * input.blocks..rows.end * input.blocks];
        LinearF32 { weights, input: flatten(values), rows: rows.len(), finish }.run(s);
    }

    fn attention<S: Simd>(s: S, shape: &Shape, sequence: Attention<'_>) {
        let Attention { queries, keys_values, bias, to, workspace: (scratch, _) } = sequence;
        let &Shape { heads, head_blocks, .. } = shape;
        let scale = shape.attention_scale();
        s.vectorize(AttentionF32 { queries, keys_values, heads, head_blocks, scale, bias, to, scratch });
    }
}

/// int8 products.
pub(super) struct Int8;

impl Arithmetic for Int8 {
    type Packed = PackedI8;
    const QUANTISED: bool = true;

    fn linear<S: Simd>(s: S, weights: &PackedI8, input: &Rows, rows: Range<usize>, finish: Finish<'_>) {
        let bytes = input.quantised[rows.start * input.blocks..rows.end * input.blocks].as_flattened();
        let scales = &input.scales[rows.clone()];
        LinearI8 { weights, input: bytes.as_chunks().0, scales, rows: rows.len(), finish }.run(s);
    }

    fn attention<S: Simd>(s: S, shape: &Shape, sequence: Attention<'_>) {
        let Attention { queries, keys_values, bias, to, workspace: (_, scratch) } = sequence;
        let &Shape { heads, head_blocks, .. } = shape;
        let scale = shape.attention_scale();
        s.vectorize(AttentionI8 { queries, keys_values, heads, head_blocks, scale, bias, to, scratch });
    }
}

/// LayerNorm (where given) and quantisation (where the arithmetic wants it) of some rows.
fn finish_rows<A: Arithmetic, S: Simd>(s: S, rows: &mut Rows, range: Range<usize>, norm: Option<&Norm>) {
    let blocks = rows.blocks;
    let vectors = range.start * blocks..range.end * blocks;
    let quantised = A::QUANTISED
        .then(|| Quantised { values: &mut rows.quantised[vectors.clone()], scales: &mut rows.scales[range.clone()] });
    if norm.is_some() || quantised.is_some() {
        s.vectorize(FinishRows { rows: &mut rows.values[vectors], blocks, norm, quantised });
    }
}

/// One batch through the encoder. Its parts were checked against each other.
pub(super) struct Forward<'a, A: Arithmetic> {
    pub shape: &'a Shape,
    pub embedding: &'a Embedding,
    /// What attention adds by distance.
    pub bias: Option<DistanceBias<'a>>,
    pub layers: &'a [Layer<A::Packed>],
    pub first_token: &'a FirstToken<A::Packed>,
    pub ids: &'a [u32],
    /// Where the sequences' tokens begin, and the end of the last.
    pub token_starts: &'a [u32],
    /// The same of their hidden states.
    pub cu_seqlens: &'a [u32],
    pub tokens_per_state: usize,
    pub output: Output,
    pub workspace: &'a mut Workspace,
    pub out: &'a mut [f32],
}

impl<A: Arithmetic> Dispatched for Forward<'_, A> {
    type Output = ();

    fn run<S: Simd>(mut self, s: S) {
        self.embed(s);
        let (last, before) = self.layers.split_last().expect("an encoder has layers; this is a bug");
        for layer in before {
            self.layer(s, layer);
        }
        let hidden = self.embedding.norm.width;
        let results = match self.output {
            Output::All => {
                self.layer(s, last);
                &self.workspace.states
            }
            Output::First => {
                self.first_tokens_layer(s, last);
                &self.workspace.first
            }
        };
        for (row, out) in results.values.chunks_exact(results.blocks).zip(self.out.chunks_exact_mut(hidden)) {
            out.copy_from_slice(&flatten(row)[..hidden]);
        }
    }
}

impl<A: Arithmetic> Forward<'_, A> {
    fn embed<S: Simd>(&mut self, s: S) {
        let Embedding { word, position, norm } = self.embedding;
        let blocks = self.shape.hidden_blocks;
        let states = &mut self.workspace.states;
        let count = self.cu_seqlens.last().map_or(0, |&end| end as usize);
        states.reserve(count, blocks, A::QUANTISED);
        let add = |id: u32, to: &mut [Lanes]| {
            let id = id as usize;
            let word = match word {
                Matrix::F32 { cols, data, .. } => TableRow::F32(&data[id * cols..(id + 1) * cols]),
                Matrix::I8 { cols, data, scales, .. } => TableRow::I8(&data[id * cols..(id + 1) * cols], scales[id]),
            };
            s.vectorize(AddRow { word, to });
        };
        for (tokens, bounds) in self.token_starts.windows(2).zip(self.cu_seqlens.windows(2)) {
            let (first, rest) = self.ids[tokens[0] as usize..tokens[1] as usize].split_at(1);
            let sequence = bounds[0] as usize * blocks..bounds[1] as usize * blocks;
            let parts = std::iter::once(first).chain(rest.chunks(self.tokens_per_state));
            let places = states.values[sequence].chunks_exact_mut(blocks).zip(position.chunks_exact(blocks));
            for (ids, (to, position)) in parts.zip(places) {
                to.copy_from_slice(position);
                ids.iter().for_each(|&id| add(id, to));
            }
        }
        finish_rows::<A, S>(s, states, 0..count, Some(norm));
    }

    /// Calls `run` for consecutive groups of whole sequences, given by their positions in `cu_seqlens`.
    fn groups(cu_seqlens: &[u32], mut run: impl FnMut(Range<usize>)) {
        let sequences = cu_seqlens.len() - 1;
        let mut first = 0;
        while first < sequences {
            let mut end = first + 1;
            while end < sequences && (cu_seqlens[end + 1] - cu_seqlens[first]) as usize <= GROUP_TOKENS {
                end += 1;
            }
            run(first..end);
            first = end;
        }
    }

    /// A layer for all tokens, in place.
    fn layer<S: Simd>(&mut self, s: S, layer: &Layer<A::Packed>) {
        let (shape, cu_seqlens, bias) = (self.shape, self.cu_seqlens, self.bias);
        let blocks = shape.attention_blocks();
        let Workspace { states, queries, keys_values, context, intermediate, attention_f32, attention_i8, .. } =
            &mut *self.workspace;
        Self::groups(cu_seqlens, |sequences| {
            let rows = cu_seqlens[sequences.start] as usize..cu_seqlens[sequences.end] as usize;
            let count = rows.len();
            grow(queries, count * blocks, Lanes::ZERO);
            grow(keys_values, 2 * count * blocks, Lanes::ZERO);
            context.reserve(count, blocks, A::QUANTISED);
            A::linear(s, &layer.query, states, rows.clone(), Finish::Store(queries));
            A::linear(s, &layer.key_value, states, rows.clone(), Finish::Store(keys_values));
            for bounds in cu_seqlens[sequences.start..=sequences.end].windows(2) {
                let (first, end) = (bounds[0] as usize - rows.start, bounds[1] as usize - rows.start);
                let sequence = Attention {
                    queries: &queries[first * blocks..end * blocks],
                    keys_values: &keys_values[2 * first * blocks..2 * end * blocks],
                    bias,
                    to: &mut context.values[first * blocks..end * blocks],
                    workspace: (attention_f32, attention_i8),
                };
                A::attention(s, shape, sequence);
            }
            finish_rows::<A, S>(s, context, 0..count, None);
            Self::after_attention(s, shape, layer, context, states, rows, intermediate);
        });
    }

    /// The last layer, for the first token of each sequence alone; of the others it reads the hidden states.
    fn first_tokens_layer<S: Simd>(&mut self, s: S, layer: &Layer<A::Packed>) {
        let (shape, cu_seqlens) = (self.shape, self.cu_seqlens);
        let (blocks, hidden_blocks) = (shape.attention_blocks(), shape.hidden_blocks);
        let count = cu_seqlens.len() - 1;
        let Workspace { states, first, queries, context, .. } = &mut *self.workspace;
        first.reserve(count, hidden_blocks, A::QUANTISED);
        for (sequence, &token) in cu_seqlens[..count].iter().enumerate() {
            let from = token as usize * hidden_blocks..(token as usize + 1) * hidden_blocks;
            let to = sequence * hidden_blocks..(sequence + 1) * hidden_blocks;
            first.values[to.clone()].copy_from_slice(&states.values[from.clone()]);
            if A::QUANTISED {
                first.quantised[to].copy_from_slice(&states.quantised[from]);
                first.scales[sequence] = states.scales[token as usize];
            }
        }
        grow(queries, count * blocks, Lanes::ZERO);
        A::linear(s, &layer.query, first, 0..count, Finish::Store(queries));
        context.reserve(count, blocks, A::QUANTISED);
        for sequence in (0..count).step_by(FIRST_TOKENS) {
            self.first_tokens_attention(s, sequence..count.min(sequence + FIRST_TOKENS));
        }
        let Workspace { first, context, intermediate, .. } = &mut *self.workspace;
        finish_rows::<A, S>(s, context, 0..count, None);
        Self::after_attention(s, shape, layer, context, first, 0..count, intermediate);
    }

    /// The context of the first tokens of some sequences, from their queries and all their tokens' states.
    fn first_tokens_attention<S: Simd>(&mut self, s: S, sequences: Range<usize>) {
        let FirstToken { query_scales, keys, values } = self.first_token;
        let &Shape { hidden_blocks, head_blocks, heads, .. } = self.shape;
        let (blocks, count) = (self.shape.attention_blocks(), sequences.len());
        let Workspace {
            states,
            queries,
            head_queries,
            asking,
            means,
            head_context,
            context,
            attention_first: scratch,
            ..
        } = &mut *self.workspace;
        head_queries.reserve(count, head_blocks, A::QUANTISED);
        grow(asking, heads * count * hidden_blocks, Lanes::ZERO);
        means.reserve(heads * count, hidden_blocks, A::QUANTISED);
        grow(head_context, count * head_blocks, Lanes::ZERO);
        for (head, key) in keys.iter().enumerate() {
            let part = head * head_blocks..(head + 1) * head_blocks;
            let of_sequences = queries[sequences.start * blocks..sequences.end * blocks].chunks_exact(blocks);
            for (query, to) in of_sequences.zip(head_queries.values.chunks_exact_mut(head_blocks)) {
                let scaled = query[part.clone()].iter().zip(&query_scales[part.clone()]);
                for ((query, scale), to) in scaled.zip(to) {
                    *to = Lanes(std::array::from_fn(|lane| query.0[lane] * scale.0[lane]));
                }
            }
            finish_rows::<A, S>(s, head_queries, 0..count, None);
            let to = &mut asking[head * count * hidden_blocks..];
            A::linear(s, key, head_queries, 0..count, Finish::Store(to));
        }
        let stride = count * hidden_blocks;
        for (index, bounds) in self.cu_seqlens[sequences.start..=sequences.end].windows(2).enumerate() {
            s.vectorize(AttentionFirst {
                asking: &asking[index * hidden_blocks..heads * stride],
                states: &states.values[bounds[0] as usize * hidden_blocks..bounds[1] as usize * hidden_blocks],
                heads,
                hidden_blocks,
                stride,
                bias: self.bias,
                to: &mut means.values[index * hidden_blocks..heads * stride],
                scratch,
            });
        }
        finish_rows::<A, S>(s, means, 0..heads * count, None);
        for (head, value) in values.iter().enumerate() {
            A::linear(s, value, means, head * count..(head + 1) * count, Finish::Store(head_context));
            for (sequence, from) in sequences.clone().zip(head_context.chunks_exact(head_blocks)) {
                context.values[sequence * blocks + head * head_blocks..][..head_blocks].copy_from_slice(from);
            }
        }
    }

    /// Output projection and feed-forward network, each with residual and LayerNorm, of `rows` of `states`; row 0 of `context`
    /// belongs to the first of them.
    fn after_attention<S: Simd>(
        s: S,
        shape: &Shape,
        layer: &Layer<A::Packed>,
        context: &Rows,
        states: &mut Rows,
        rows: Range<usize>,
        intermediate: &mut Rows,
    ) {
        let blocks = states.blocks;
        let to = &mut states.values[rows.start * blocks..rows.end * blocks];
        A::linear(s, &layer.attention_output, context, 0..rows.len(), Finish::Add(to));
        finish_rows::<A, S>(s, states, rows.clone(), Some(&layer.attention_norm));
        intermediate.reserve(INTERMEDIATE_ROWS.min(rows.len()), shape.intermediate_blocks, A::QUANTISED);
        for first in rows.clone().step_by(INTERMEDIATE_ROWS) {
            let part = first..rows.end.min(first + INTERMEDIATE_ROWS);
            let count = part.len();
            A::linear(s, &layer.intermediate, states, part.clone(), Finish::Gelu(&mut intermediate.values));
            finish_rows::<A, S>(s, intermediate, 0..count, None);
            let to = &mut states.values[part.start * blocks..part.end * blocks];
            A::linear(s, &layer.output, intermediate, 0..count, Finish::Add(to));
            finish_rows::<A, S>(s, states, part, Some(&layer.output_norm));
        }
    }
}
