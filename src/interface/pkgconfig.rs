//! The file by which `pkg-config` knows a library.

use super::Interface;

/// The text of a `.pc` file for a library that stays beside it.
pub fn text(interface: &Interface) -> String {
    let name = &interface.library;
    format!(
        "prefix=${{pcfiledir}}\n\
         libdir=${{prefix}}\n\
         includedir=${{prefix}}\n\
         \n\
         Name: {name}\n\
         Description: {script}, compiled by ruffc\n\
         Version: 0\n\
         Cflags: -I${{includedir}}\n\
         Libs: -L${{libdir}} -l{name} -Wl,--gc-sections\n\
         Libs.private: -lpthread -lm\n",
        script = interface.script,
    )
}
