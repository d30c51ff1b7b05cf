//! Bytes: an immutable run of octets inline behind its length.

use super::{Header, Object, Ref, allocator};
use crate::value::Tag;
use core::mem::{offset_of, size_of};

/// A bytes object; its octets follow it.
#[repr(C)]
pub struct Bytes {
    header: Header,
    len: usize,
}

/// Where generated code finds the length.
pub const LEN_OFFSET: usize = offset_of!(Bytes, len);
/// Where the octets start.
pub const DATA_OFFSET: usize = size_of::<Bytes>();

// SAFETY: `repr(C)`, starts with a `Header`, comes from `allocator`.
unsafe impl Object for Bytes {
    const TAG: Tag = Tag::Bytes;

    unsafe fn destroy(object: *mut Bytes) {
        // SAFETY: dead, and allocated with this size.
        unsafe { allocator::free(object.cast(), DATA_OFFSET + (*object).len) }
    }
}

impl Bytes {
    /// A copy of these octets.
    pub fn new(octets: &[u8]) -> Ref<Bytes> {
        let object: *mut Bytes = allocator::allocate(DATA_OFFSET + octets.len()).cast();
        // SAFETY: fresh memory of that size.
        unsafe {
            object.write(Bytes {
                header: Header::new(Tag::Bytes),
                len: octets.len(),
            });
            core::ptr::copy_nonoverlapping(octets.as_ptr(), object.add(1).cast(), octets.len());
            Ref::from_raw(object)
        }
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `len` octets follow the object.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).add(1).cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_keep_their_octets() {
        let bytes = Bytes::new(&[0, 255, 7]);
        assert_eq!(bytes.as_slice(), [0, 255, 7]);
        assert!(Bytes::new(&[]).is_empty());
    }
}
