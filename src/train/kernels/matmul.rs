//! A bounds-checked front of the `gemm` crate's single-threaded f32 product.

#![allow(unsafe_code)]

use crate::engine::kernels::bounds::assert_holds;

/// A read-only matrix over a slice, with free strides: a transposed or column-sliced view costs nothing.
#[derive(Clone, Copy)]
pub struct MatrixView<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> MatrixView<'a> {
    /// A row-major `[rows, cols]` matrix whose rows lie `row_stride` values apart.
    ///
    /// # Panics
    /// Where `data` ends before the last element, or sizes are too large to count.
    pub fn new(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        if cols > 0 {
            assert_holds("a view", data.len(), rows, row_stride, cols);
        }
        MatrixView { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The transposed view, `[cols, rows]`.
    pub fn transposed(self) -> Self {
        MatrixView {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }
}

/// `out = a · b`, or `out += a · b` with `accumulate`; `out` is row-major with rows `out_stride` values apart.
///
/// One thread: the trainer is parallel over sequences, where nothing has to wait for anything.
///
/// # Panics
/// Where the inner sizes differ or `out` is too short.
pub fn matmul(out: &mut [f32], out_stride: usize, accumulate: bool, a: MatrixView<'_>, b: MatrixView<'_>) {
    assert_eq!(a.cols, b.rows, "inner sizes of a product");
    let (rows, cols) = (a.rows, b.cols);
    if rows == 0 || cols == 0 {
        return;
    }
    assert!(out_stride >= cols, "rows of a [{rows}, {cols}] product, {out_stride} apart, overlap; this is a bug");
    assert_holds("a product", out.len(), rows, out_stride, cols);
    // A stride that no slice is long enough for belongs to a single row or column, and is never stepped over.
    let stride = |stride: usize| isize::try_from(stride).unwrap_or(0);
    // SAFETY: `MatrixView::new` checked that each input's slice holds every element of its rows and columns with its
    // strides, and the lines above check the same of `out`; the inner sizes agree. `out` is a unique borrow, so it
    // overlaps neither input.
    unsafe {
        gemm::gemm(
            rows,
            cols,
            a.cols,
            out.as_mut_ptr(),
            1,
            stride(out_stride),
            accumulate,
            a.data.as_ptr(),
            stride(a.col_stride),
            stride(a.row_stride),
            b.data.as_ptr(),
            stride(b.col_stride),
            stride(b.row_stride),
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strided_and_transposed_views_multiply_as_written() {
        // a is the middle column pair of a [3, 4] matrix, b the transpose of a [2, 2] one.
        let a: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let b = [1.0, 2.0, 3.0, 4.0];
        let mut out = vec![100.0; 8];
        let view = MatrixView::new(&a[1..], 3, 2, 4);
        matmul(&mut out, 3, true, view, MatrixView::new(&b, 2, 2, 2).transposed());
        let expected = [105.0, 111.0, 100.0, 117.0, 139.0, 100.0, 129.0, 167.0];
        assert_eq!(out, expected);
    }

    #[test]
    #[should_panic(expected = "a view: 2 rows of 3, 3 apart, do not fit in 5")]
    fn a_view_past_its_slice_is_refused() {
        MatrixView::new(&[0.0; 5], 2, 3, 3);
    }

    #[test]
    #[should_panic(expected = "a view: 3 rows of 4")]
    fn a_view_whose_size_wraps_is_refused() {
        // 2 · 2^63 is 0 where it wraps.
        MatrixView::new(&[0.0; 5], 3, 4, 1 << (usize::BITS - 1));
    }

    #[test]
    #[should_panic(expected = "a product: 3 rows of 2")]
    fn a_product_whose_size_wraps_is_refused() {
        let (a, b) = ([1.0; 3], [1.0; 2]);
        let mut out = [0.0; 4];
        matmul(&mut out, 1 << (usize::BITS - 1), false, MatrixView::new(&a, 3, 1, 1), MatrixView::new(&b, 1, 2, 2));
    }
}
