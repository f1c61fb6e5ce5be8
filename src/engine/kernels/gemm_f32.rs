//! f32 matrix product: a register tile of rows × columns, each output summed over `k` in order by fused
//! multiply-adds, so that a row's result depends on nothing but the row.

use super::bounds::assert_holds;
use super::lanes::{LANES, Lanes, panel_index};
use super::simd::Simd;

/// Receives sums of a product, sixteen columns of one row at a time.
pub trait StoreF32 {
    /// `sum` holds columns `16 * block ..` of `row`.
    fn store<S: Simd>(&mut self, s: S, row: usize, block: usize, sum: S::F32);
}

/// How the right-hand matrix lies in memory.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    /// `[k][blocks]` with `stride` vectors from one `k` to the next.
    Rows {
        /// Vectors between rows.
        stride: usize,
    },
    /// Panels of the instruction set's width, each `[k][panel]`; the last one may be narrower.
    Panels,
}

/// `left [rows, depth] × right [depth, 16 * blocks]`.
#[derive(Clone, Copy, Debug)]
pub struct GemmF32<'a> {
    /// Row-major, `stride` floats from one row to the next.
    pub left: &'a [f32],
    /// Floats between rows of `left`.
    pub stride: usize,
    /// Rows of `left`.
    pub rows: usize,
    /// Columns of `left`, rows of `right`.
    pub depth: usize,
    /// The right-hand matrix.
    pub right: &'a [Lanes],
    /// Its layout.
    pub layout: Layout,
    /// Sixteen-column vectors of the result.
    pub blocks: usize,
}

impl GemmF32<'_> {
    /// Runs the product with the instruction set's register tile.
    ///
    /// # Panics
    /// Where a slice is too short for the shape.
    #[inline(always)]
    pub fn run<S: Simd, E: StoreF32>(self, s: S, epilogue: &mut E) {
        // Constants of the instruction set: one arm is left of each.
        match (S::ROWS_F32, S::PANEL) {
            (6, 4) => self.run_tiled::<S, E, 6, 4>(s, epilogue),
            (6, 1) => self.run_tiled::<S, E, 6, 1>(s, epilogue),
            (4, 1) => self.run_tiled::<S, E, 4, 1>(s, epilogue),
            (2, 1) => self.run_tiled::<S, E, 2, 1>(s, epilogue),
            (rows, panel) => unreachable!("no instruction set has tiles of {rows} × {panel}; this is a bug"),
        }
    }

    /// Runs tiles of `ROWS` rows × `PANEL` vectors.
    #[inline(always)]
    fn run_tiled<S: Simd, E: StoreF32, const ROWS: usize, const PANEL: usize>(self, s: S, epilogue: &mut E) {
        if self.rows == 0 || self.blocks == 0 {
            return;
        }
        assert_holds("left matrix", self.left.len(), self.rows, self.stride, self.depth);
        if let Layout::Panels = self.layout {
            assert_holds("right matrix", self.right.len(), self.blocks, self.depth, self.depth);
        }
        let mut block = 0;
        while block < self.blocks {
            let width = PANEL.min(self.blocks - block);
            let (offset, stride) = match self.layout {
                Layout::Rows { stride } => (block, stride),
                Layout::Panels => (block * self.depth, width),
            };
            let right = &self.right[offset..];
            assert_holds("right matrix", right.len(), self.depth, stride, width);
            let mut row = 0;
            while row < self.rows {
                match width {
                    1 => self.tile::<S, E, ROWS, 1>(s, row, block, right, stride, epilogue),
                    2 if PANEL >= 2 => self.tile::<S, E, ROWS, 2>(s, row, block, right, stride, epilogue),
                    3 if PANEL >= 3 => self.tile::<S, E, ROWS, 3>(s, row, block, right, stride, epilogue),
                    4 if PANEL >= 4 => self.tile::<S, E, ROWS, 4>(s, row, block, right, stride, epilogue),
                    _ => unreachable!("panels are at most four vectors wide; this is a bug"),
                }
                row += ROWS;
            }
            block += width;
        }
    }

    /// One tile. Rows past the end repeat the last one and are not stored.
    #[inline(always)]
    fn tile<S: Simd, E: StoreF32, const ROWS: usize, const WIDTH: usize>(
        &self,
        s: S,
        row: usize,
        block: usize,
        right: &[Lanes],
        stride: usize,
        epilogue: &mut E,
    ) {
        let mut left = [self.left.as_ptr(); ROWS];
        for (r, pointer) in left.iter_mut().enumerate() {
            // SAFETY: `run_tiled` checked that `left` holds `rows` rows of `depth` floats, `stride` apart, and the row index
            // is at most `rows - 1`.
            *pointer = unsafe { self.left.as_ptr().add((row + r).min(self.rows - 1) * self.stride) };
        }
        let mut sums = [[s.splat(0.0); WIDTH]; ROWS];
        for k in 0..self.depth {
            // SAFETY: `run_tiled` checked that `right` holds `depth` rows of `WIDTH` vectors, `stride` apart, and
            // `k < depth`.
            let line = unsafe { right.get_unchecked(k * stride..k * stride + WIDTH) };
            let mut columns = [s.splat(0.0); WIDTH];
            for n in 0..WIDTH {
                columns[n] = s.load(&line[n]);
            }
            for m in 0..ROWS {
                // SAFETY: `k < depth`, and each pointer was made above to begin a row of `depth` floats.
                let value = s.splat(unsafe { *left[m].add(k) });
                for n in 0..WIDTH {
                    sums[m][n] = s.mul_add(value, columns[n], sums[m][n]);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            if row + r < self.rows {
                for (n, &sum) in sums.iter().enumerate() {
                    epilogue.store(s, row + r, block + n, sum);
                }
            }
        }
    }
}

/// f32 weights in panels for one instruction set, with the bias.
#[derive(Clone, Debug)]
pub struct PackedF32 {
    /// Panels of `[depth][panel]` vectors.
    pub panels: Vec<Lanes>,
    /// `[blocks]`
    pub bias: Vec<Lanes>,
    /// Inputs.
    pub depth: usize,
}

impl PackedF32 {
    /// All-zero weights of `outputs` columns (a multiple of sixteen) and `depth` rows.
    pub fn zero(outputs: usize, depth: usize) -> PackedF32 {
        let blocks = outputs / LANES;
        let vectors = blocks.checked_mul(depth).expect("a matrix fits in memory; this is a bug");
        PackedF32 { panels: vec![Lanes::ZERO; vectors], bias: vec![Lanes::ZERO; blocks], depth }
    }

    /// Sets one column: `row` are its first weights, the rest stay zero.
    pub fn set_column(&mut self, panel: usize, column: usize, row: &[f32], bias: f32) {
        let blocks = self.bias.len();
        let (block, lane) = (column / LANES, column % LANES);
        for (k, &weight) in row.iter().enumerate() {
            self.panels[panel_index(panel, blocks, self.depth, block, k)].0[lane] = weight;
        }
        self.bias[block].0[lane] = bias;
    }

    /// The product of `rows` rows of `left` (`stride` floats apart) with these weights.
    #[inline(always)]
    pub fn product<'a>(&'a self, left: &'a [f32], stride: usize, rows: usize) -> GemmF32<'a> {
        GemmF32 {
            left,
            stride,
            rows,
            depth: self.depth,
            right: &self.panels,
            layout: Layout::Panels,
            blocks: self.bias.len(),
        }
    }
}
