//! Memory for code near the code of this process.
//!
//! A processor predicts a call well if its target is not far away: calls of
//! compiled functions from the host take half the time.  So the code lies near
//! ours where the system lets us choose, and anywhere otherwise.

use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider};
use cranelift_module::{ModuleError, ModuleResult};
use std::io;
use std::mem::{self, discriminant};
use std::ptr::NonNull;

/// How far below our own code the range starts.  What lies above our code may
/// be the heap, which grows.
const DISTANCE: usize = 1 << 30;
/// Pages are not larger than this where `NearMemory` is used.
const PAGE: usize = 4096;

/// One range of address space, which is taken into use from its start on.
pub(super) struct NearMemory {
    start: NonNull<u8>,
    size: usize,
    used: usize,
    /// Parts that are still being written.
    open: Vec<Part>,
}

// SAFETY: the range belongs to this value alone.
unsafe impl Send for NearMemory {}

/// Whole pages of one kind.
struct Part {
    kind: JITMemoryKind,
    start: usize,
    end: usize,
    position: usize,
}

impl NearMemory {
    /// Reserves `size` bytes of address space, which is whole pages.
    ///
    /// # Errors
    /// If there is no such range.
    pub fn new(size: usize) -> io::Result<NearMemory> {
        debug_assert_eq!(size % PAGE, 0);
        let ours = NearMemory::new as *const () as usize;
        let wish = ours.checked_sub(DISTANCE).unwrap_or(ours + DISTANCE) & !(PAGE - 1);
        // SAFETY: a new mapping wherever there is room; the address is a wish.
        let address = unsafe {
            libc::mmap(
                wish as *mut libc::c_void,
                size,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(NearMemory {
            start: NonNull::new(address.cast()).expect("a mapping is nowhere near zero"),
            size,
            used: 0,
            open: Vec::new(),
        })
    }

    fn protect(&self, start: usize, end: usize, protection: libc::c_int) -> io::Result<()> {
        debug_assert!(start <= end && end <= self.size);
        // SAFETY: the pages are this range's own, and nobody uses them in a way
        // that the protection forbids: they are opened once, then closed once.
        let status = unsafe {
            libc::mprotect(
                self.start.as_ptr().add(start).cast(),
                end - start,
                protection,
            )
        };
        match status {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Opens a part for `size` bytes of a kind; its number.
    fn open(&mut self, size: usize, kind: JITMemoryKind) -> io::Result<usize> {
        let start = self.used;
        let end = start
            .checked_add(size)
            .and_then(|end| end.checked_next_multiple_of(PAGE))
            .filter(|end| *end <= self.size)
            .ok_or_else(|| io::Error::other("the address space for code is used up"))?;
        self.protect(start, end, libc::PROT_READ | libc::PROT_WRITE)?;
        self.used = end;
        self.open.push(Part {
            kind,
            start,
            end,
            position: start,
        });
        Ok(self.open.len() - 1)
    }
}

impl JITMemoryProvider for NearMemory {
    fn allocate(&mut self, size: usize, align: u64, kind: JITMemoryKind) -> io::Result<*mut u8> {
        let align = usize::try_from(align)
            .ok()
            .filter(|align| *align <= PAGE)
            .ok_or_else(|| io::Error::other("more than a page of alignment"))?;
        let fits = |part: &Part| {
            discriminant(&part.kind) == discriminant(&kind)
                && part.position.next_multiple_of(align) + size <= part.end
        };
        let part = match self.open.iter().position(fits) {
            Some(part) => part,
            None => self.open(size, kind)?,
        };
        let part = &mut self.open[part];
        let at = part.position.next_multiple_of(align);
        part.position = at + size;
        // SAFETY: the part lies within the range.
        Ok(unsafe { self.start.as_ptr().add(at) })
    }

    unsafe fn free_memory(&mut self) {
        self.open.clear();
        if self.size > 0 {
            // SAFETY: the range is a mapping of ours, and the caller vouches
            // that nobody uses it any more.  Failing would only waste it.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.size) };
            self.size = 0;
            self.used = 0;
        }
    }

    // On x86-64 there are no instructions in flight to be flushed, and no
    // protection of branches.
    fn finalize(&mut self, _: BranchProtection) -> ModuleResult<()> {
        for part in mem::take(&mut self.open) {
            let protection = match part.kind {
                JITMemoryKind::Executable => libc::PROT_READ | libc::PROT_EXEC,
                JITMemoryKind::Writable => libc::PROT_READ | libc::PROT_WRITE,
                JITMemoryKind::ReadOnly => libc::PROT_READ,
            };
            self.protect(part.start, part.end, protection)
                .map_err(|error| ModuleError::Allocation { err: error })?;
        }
        Ok(())
    }
}
