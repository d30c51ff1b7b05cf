//! Memory for heap objects: one free list per size class and thread.
//!
//! Blocks up to `LARGEST_SMALL` bytes are cut from chunks and, once freed,
//! reused at once for the same size class; larger ones come from the C
//! library.  The caller of `free` knows the size, so blocks carry no header
//! of the allocator's own.  Nothing is given back before the thread ends.

use super::Header;
use super::cycles::Root;
use crate::platform;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{null_mut, without_provenance_mut};

/// Bytes between two size classes.
const GRAIN: usize = 16;
/// The largest block that a free list serves, in bytes.
pub const LARGEST_SMALL: usize = 512;
const CLASSES: usize = LARGEST_SMALL / GRAIN + 1;
/// Bytes of one chunk; chunks are only touched as far as they are used.
const CHUNK: usize = 1 << 20;
/// Bytes of the first chunk of a heap that starts small.
const SMALL_CHUNK: usize = 32 << 10;

/// A freed block: a link to the next one of its class.
struct FreeBlock {
    next: *mut FreeBlock,
}

/// The memory of one thread.
#[repr(C)]
pub struct Heap {
    free: [*mut FreeBlock; CLASSES],
    /// Where the next block is cut from the newest chunk.
    bump: *mut u8,
    bump_end: *mut u8,
    chunks: Vec<*mut u8>,
    /// Bytes of the next chunk.
    next_chunk: usize,
    /// Blocks from the C library that are in use.
    large_blocks: usize,
    pub(super) nested_frees: u32,
    pub(super) deferred: Vec<*mut Header>,
    /// The newest of the objects that can close a cycle; see `cycles`.
    pub(super) roots: *mut Root,
    pub(super) root_count: usize,
    /// The count at which cycles are looked for next.
    pub(super) root_threshold: usize,
}

/// The thread's heap; made when first asked for.
#[inline(always)]
pub fn current() -> *mut Heap {
    let heap = thread_slot::get();
    if heap.is_null() { start() } else { heap }
}

#[cold]
#[inline(never)]
fn start() -> *mut Heap {
    let heap = alloc::boxed::Box::into_raw(alloc::boxed::Box::new(Heap {
        free: [null_mut(); CLASSES],
        bump: null_mut(),
        bump_end: null_mut(),
        chunks: Vec::new(),
        next_chunk: CHUNK,
        large_blocks: 0,
        nested_frees: 0,
        deferred: Vec::new(),
        roots: null_mut(),
        root_count: 0,
        root_threshold: super::cycles::FIRST_THRESHOLD,
    }));
    thread_slot::set(heap);
    heap
}

/// Whether a heap is the thread's.
pub fn is_current(heap: *mut Heap) -> bool {
    thread_slot::get() == heap
}

/// Lets the thread's heap, if it is new, start small and grow as it is used:
/// for threads of which there are many.
pub fn start_small() {
    // SAFETY: the thread's heap is only touched by its thread.
    unsafe { (*current()).next_chunk = SMALL_CHUNK };
}

/// Makes another thread's heap this thread's, or leaves it without one.
///
/// # Safety
/// The owner waits until this thread has given the heap up again, and this
/// thread has none of its own.
pub unsafe fn lend(heap: *mut Heap) {
    thread_slot::set(heap);
}

/// Makes a heap, or none, the thread's; gives the one that it was.  A host
/// that goes from one program to another changes heaps by this.
pub fn replace(heap: *mut Heap) -> *mut Heap {
    let before = thread_slot::get();
    thread_slot::set(heap);
    before
}

/// Gives the thread's memory back.
///
/// # Safety
/// No object of this thread is used afterwards.
pub unsafe fn finish() {
    let heap = thread_slot::get();
    if heap.is_null() {
        return;
    }
    thread_slot::set(null_mut());
    // SAFETY: made by `start`; the caller vouches that no object is left in use.
    unsafe {
        for chunk in &(*heap).chunks {
            libc::free(chunk.cast());
        }
        drop(alloc::boxed::Box::from_raw(heap));
    }
}

/// Blocks in use by this thread.  Walks the free lists: for tests and reports.
pub fn live_blocks() -> usize {
    let heap = current();
    // SAFETY: the thread's heap is only touched by its thread.
    unsafe {
        let mut cut: usize = 0;
        let mut counted_bytes = 0;
        for (class, first) in (*heap).free.iter().enumerate() {
            let mut block = *first;
            while !block.is_null() {
                counted_bytes += class * GRAIN;
                block = (*block).next;
            }
        }
        for chunk in &(*heap).chunks {
            cut += *chunk.cast::<usize>();
        }
        if let Some(newest) = (*heap).chunks.last() {
            cut += (*heap).bump as usize - *newest as usize - GRAIN;
        }
        (cut - counted_bytes).div_ceil(GRAIN) + (*heap).large_blocks
    }
}

/// A block of at least `size` bytes, 16-byte aligned, uninitialised.
#[inline(always)]
pub fn allocate(size: usize) -> *mut u8 {
    let heap = current();
    if size <= LARGEST_SMALL {
        let class = size.div_ceil(GRAIN);
        // SAFETY: the thread's heap is only touched by its thread; a block on
        // a free list is unused and holds a valid link.
        unsafe {
            let block = (*heap).free[class];
            if !block.is_null() {
                (*heap).free[class] = (*block).next;
                return block.cast();
            }
            return cut(heap, class * GRAIN);
        }
    }
    allocate_large(heap, size)
}

/// # Safety
/// `heap` is the thread's heap; `size` is a multiple of the grain.
#[inline(always)]
unsafe fn cut(heap: *mut Heap, size: usize) -> *mut u8 {
    // SAFETY: `bump..bump_end` is the unused end of the newest chunk.
    unsafe {
        let block = (*heap).bump;
        if (*heap).bump_end as usize - block as usize >= size {
            (*heap).bump = block.add(size);
            return block;
        }
        cut_from_new_chunk(heap, size)
    }
}

/// # Safety
/// As for `cut`.
#[cold]
#[inline(never)]
unsafe fn cut_from_new_chunk(heap: *mut Heap, size: usize) -> *mut u8 {
    // SAFETY: as for `cut`; the first grain of a chunk notes how much of it
    // was cut when it stopped being the newest.
    unsafe {
        if let Some(previous) = (*heap).chunks.last().copied() {
            *previous.cast::<usize>() = (*heap).bump as usize - previous as usize - GRAIN;
        }
        let chunk_size = (*heap).next_chunk;
        (*heap).next_chunk = (chunk_size * 2).min(CHUNK);
        let chunk: *mut u8 = libc::malloc(chunk_size).cast();
        if chunk.is_null() {
            out_of_memory(chunk_size);
        }
        *chunk.cast::<usize>() = 0;
        (*heap).chunks.push(chunk);
        (*heap).bump = chunk.add(GRAIN + size);
        (*heap).bump_end = chunk.add(chunk_size);
        chunk.add(GRAIN)
    }
}

#[cold]
#[inline(never)]
fn allocate_large(heap: *mut Heap, size: usize) -> *mut u8 {
    // SAFETY: plain C allocation.
    let block: *mut u8 = unsafe { libc::malloc(size) }.cast();
    if block.is_null() {
        out_of_memory(size);
    }
    // SAFETY: the thread's heap is only touched by its thread.
    unsafe { (*heap).large_blocks += 1 };
    block
}

/// Gives a block back.
///
/// # Safety
/// `block` came from `allocate` or `reallocate` with this `size` on this
/// thread and is not used again.
#[inline(always)]
pub unsafe fn free(block: *mut u8, size: usize) {
    let heap = current();
    // SAFETY: the caller vouches for the block.
    unsafe {
        if size <= LARGEST_SMALL {
            let class = size.div_ceil(GRAIN);
            let block: *mut FreeBlock = block.cast();
            (*block).next = (*heap).free[class];
            (*heap).free[class] = block;
        } else {
            (*heap).large_blocks -= 1;
            libc::free(block.cast());
        }
    }
}

/// A block of `new_size` bytes with the contents of `block`, which is given back.
///
/// # Safety
/// As for `free`, with `old_size` the size of `block`.
pub unsafe fn reallocate(block: *mut u8, old_size: usize, new_size: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the block.
    unsafe {
        if old_size > LARGEST_SMALL && new_size > LARGEST_SMALL {
            let moved: *mut u8 = libc::realloc(block.cast(), new_size).cast();
            if moved.is_null() {
                out_of_memory(new_size);
            }
            return moved;
        }
        if old_size.div_ceil(GRAIN) == new_size.div_ceil(GRAIN) {
            return block;
        }
        let moved = allocate(new_size);
        core::ptr::copy_nonoverlapping(block, moved, old_size.min(new_size));
        free(block, old_size);
        moved
    }
}

/// What is done when no memory is left: installed by the program's start-up,
/// which knows how to flush standard output.
pub static OUT_OF_MEMORY: core::sync::atomic::AtomicPtr<()> =
    core::sync::atomic::AtomicPtr::new(without_provenance_mut(0));

/// Reports that `size` bytes can't be had, and ends the process.
#[cold]
#[inline(never)]
pub fn out_of_memory(size: usize) -> ! {
    let handler = OUT_OF_MEMORY.load(core::sync::atomic::Ordering::Relaxed);
    if !handler.is_null() {
        // SAFETY: only `fn(usize) -> !` is ever stored there.
        let handler: fn(usize) -> ! = unsafe { core::mem::transmute(handler) };
        handler(size);
    }
    // SAFETY: ends the process.
    unsafe { libc::abort() }
}

/// Another allocator for Rust's own collections, to be installed as the global one: a
/// program that runs out of its memory ends as with `CLibrary`.
pub struct NeverNull<A>(pub A);

fn expect_block(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        out_of_memory(size);
    }
    block
}

// SAFETY: the other allocator keeps the contract; null never comes back.
unsafe impl<A: GlobalAlloc> GlobalAlloc for NeverNull<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        expect_block(unsafe { self.0.alloc(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { self.0.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        expect_block(unsafe { self.0.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        let moved = unsafe { self.0.realloc(block, layout, new_size) };
        expect_block(moved, new_size)
    }
}

/// The C library's memory for Rust's own collections: to be installed as the
/// global allocator, so that a program that runs out of memory in one of them
/// ends like any other, with its output.
pub struct CLibrary;

/// What `malloc` aligns to on every target.
const MALLOC_ALIGN: usize = 16;

// SAFETY: the C library's functions keep the contract; null never comes back.
unsafe impl GlobalAlloc for CLibrary {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: plain C allocation.
        unsafe {
            let block = if layout.align() <= MALLOC_ALIGN {
                libc::malloc(layout.size())
            } else {
                platform::allocate_aligned(layout.align(), layout.size()).cast()
            };
            if block.is_null() {
                out_of_memory(layout.size());
            }
            block.cast()
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: it came from one of the functions above.
        unsafe {
            if layout.align() <= MALLOC_ALIGN {
                libc::free(block.cast());
            } else {
                platform::free_aligned(block);
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: fresh memory of that size.
        unsafe {
            if layout.align() <= MALLOC_ALIGN {
                let block = libc::calloc(1, layout.size());
                if block.is_null() {
                    out_of_memory(layout.size());
                }
                return block.cast();
            }
            let block = self.alloc(layout);
            block.write_bytes(0, layout.size());
            block
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the block came from `malloc`, or is copied to a new one.
        unsafe {
            if layout.align() <= MALLOC_ALIGN {
                let moved = libc::realloc(block.cast(), new_size);
                if moved.is_null() {
                    out_of_memory(new_size);
                }
                return moved.cast();
            }
            let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            core::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
            self.dealloc(block, layout);
            moved
        }
    }
}

/// One pointer per thread.
///
/// `thread_local!` needs `std`, which costs a program 300 KB, and the
/// attribute behind it is not stable; so the variable is declared in assembly
/// and read by the initial-exec sequence of each platform's ELF TLS ABI, which
/// linkers relax to one instruction in executables.
#[cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
mod thread_slot {
    use super::Heap;
    use core::arch::{asm, global_asm};

    global_asm!(
        ".section .tbss.ruff_thread_heap,\"awT\",%nobits",
        ".hidden ruff_thread_heap",
        ".globl ruff_thread_heap",
        ".type ruff_thread_heap, %object",
        ".size ruff_thread_heap, 8",
        ".p2align 3",
        "ruff_thread_heap:",
        ".zero 8",
        ".text",
    );

    #[inline(always)]
    pub fn address() -> *mut *mut Heap {
        let address: *mut *mut Heap;
        // SAFETY: computes the address of this thread's copy of the variable.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            asm!(
                "mov {offset}, qword ptr fs:[0]",
                "add {offset}, qword ptr [rip + ruff_thread_heap@gottpoff]",
                offset = out(reg) address,
                options(pure, readonly, nostack)
            );
            #[cfg(target_arch = "aarch64")]
            asm!(
                "mrs {base}, tpidr_el0",
                "adrp {offset}, :gottprel:ruff_thread_heap",
                "ldr {offset}, [{offset}, :gottprel_lo12:ruff_thread_heap]",
                "add {offset}, {base}, {offset}",
                base = out(reg) _,
                offset = out(reg) address,
                options(pure, readonly, nostack)
            );
            #[cfg(target_arch = "riscv64")]
            asm!(
                "la.tls.ie {offset}, ruff_thread_heap",
                "add {offset}, {offset}, tp",
                offset = out(reg) address,
                options(pure, readonly, nostack)
            );
        }
        address
    }

    #[inline(always)]
    pub fn get() -> *mut Heap {
        #[cfg(target_arch = "x86_64")]
        {
            let heap: *mut Heap;
            // SAFETY: reads this thread's copy of the variable.
            unsafe {
                asm!(
                    "mov {heap}, qword ptr [rip + ruff_thread_heap@gottpoff]",
                    "mov {heap}, qword ptr fs:[{heap}]",
                    heap = out(reg) heap,
                    options(readonly, nostack, preserves_flags)
                );
            }
            heap
        }
        // SAFETY: the variable is only touched by its thread.
        #[cfg(not(target_arch = "x86_64"))]
        unsafe {
            *address()
        }
    }

    pub fn set(heap: *mut Heap) {
        // SAFETY: the variable is only touched by its thread.
        unsafe { *address() = heap }
    }
}

/// Elsewhere the system's keys do the same, a call slower.
#[cfg(not(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
)))]
mod thread_slot {
    use super::Heap;
    use crate::platform::{self, Key};
    use core::sync::atomic::{AtomicUsize, Ordering};

    /// The key plus one; 0 while there is none.
    static KEY: AtomicUsize = AtomicUsize::new(0);

    #[inline]
    fn key() -> Key {
        match KEY.load(Ordering::Acquire) {
            0 => make_key(),
            known => (known - 1) as Key,
        }
    }

    #[cold]
    fn make_key() -> Key {
        let Some(fresh) = platform::new_key() else {
            super::out_of_memory(size_of::<Heap>());
        };
        match KEY.compare_exchange(0, fresh as usize + 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => fresh,
            Err(winner) => {
                // SAFETY: nobody else knows this one.
                unsafe { platform::delete_key(fresh) };
                (winner - 1) as Key
            }
        }
    }

    pub fn get() -> *mut Heap {
        // SAFETY: the key is valid once made.
        unsafe { platform::key_value(key()).cast() }
    }

    pub fn set(heap: *mut Heap) {
        // SAFETY: the key is valid once made.
        unsafe { platform::set_key_value(key(), heap.cast()) }
    }
}
