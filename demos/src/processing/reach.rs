//! What a request may reach: everything, when the one who asks sits at the keyboard; less, when
//! the question came over a network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};

use super::Failure;
use crate::program::escape::shortened;

/// The bounds of processing. The default has none.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The folder that `read` stays below, if any.
    pub files: Option<PathBuf>,
    /// Whether `get` reaches only addresses of the public Internet: not this machine, and not the
    /// network it stands in.
    pub public_only: bool,
}

impl Reach {
    /// The file that `path` means, if it may be read. Blocks.
    ///
    /// With a folder to stay below, a path is relative and has no `..`; a symbolic link may lead
    /// anywhere below the folder. Whoever may write there could still swap a link between this
    /// look and the reading: it is a bound for those who ask, not for those who write.
    ///
    /// # Errors
    /// A sentence that does not tell what there is outside.
    pub fn file(&self, path: &str) -> Result<PathBuf, Failure> {
        let Some(folder) = &self.files else {
            return Ok(PathBuf::from(path));
        };
        let outside = || {
            let path = shortened(path);
            Failure(format!(
                "`{path}` is not below the folder that is served (--files)"
            ))
        };
        let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !Path::new(path).components().all(is_plain) {
            return Err(outside());
        }
        let whole = folder.join(path);
        // Of a path that leads nowhere, the part that is there: what is missing outside is nobody's
        // business either.
        let there = whole
            .ancestors()
            .find(|part| part.symlink_metadata().is_ok());
        let real = there.and_then(|there| there.canonicalize().ok());
        match (folder.canonicalize(), real) {
            (Ok(folder), Some(real)) if real.starts_with(&folder) => match there {
                Some(there) if there == whole => Ok(real),
                _ => Ok(whole), // reading it will tell why not
            },
            _ => Err(outside()),
        }
    }

    /// Whether `address` may be connected to.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        !self.public_only
            || match address {
                IpAddr::V4(address) => is_public_v4(address),
                IpAddr::V6(address) => is_public_v6(address),
            }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b); // carrier-grade NAT, RFC 6598
    let special = (a, b, c) == (192, 0, 0) || (a == 198 && (18..20).contains(&b));
    !(a == 0 || a >= 224 || shared || special)
        && !(address.is_private() || address.is_loopback() || address.is_link_local())
        && !address.is_documentation()
}

/// Only what is handed out as global unicast (2000::/3), without the ranges in it that carry
/// another address inside or are for documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [a, b, ..] = address.segments();
    let carries_another = a == 0x2002 || (a == 0x2001 && b == 0);
    a & 0xe000 == 0x2000 && !carries_another && !(a == 0x2001 && b == 0x0db8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_not_left() {
        let below_src = Reach {
            files: Some(PathBuf::from("src")),
            public_only: false,
        };
        assert!(
            below_src
                .file("lib.rs")
                .is_ok_and(|path| path.ends_with("src/lib.rs"))
        );
        assert!(below_src.file("./program/input.rs").is_ok());
        assert!(below_src.file("no-such-file").is_ok(), "reading tells that");
        for path in [
            "/etc/passwd",
            "../Cargo.toml",
            "program/../../Cargo.toml",
            "..",
            "/",
            "/proc",
        ] {
            let message = below_src.file(path).unwrap_err().0;
            assert!(
                message.contains("not below the folder"),
                "{path}: {message}"
            );
        }
        assert!(Reach::default().file("../Cargo.toml").is_ok());
    }

    #[test]
    fn a_link_does_not_lead_out() {
        let folder = std::env::temp_dir().join(format!("handrolled-reach-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for (link, target) in [
            ("out", "/etc/passwd"),
            ("dangling", "/no/such"),
            ("in", "file"),
            ("dir", "/etc"),
            ("inner", "."),
        ] {
            let _ = std::os::unix::fs::symlink(target, folder.join(link));
        }
        std::fs::write(folder.join("file"), "text").expect("a file");
        let reach = Reach {
            files: Some(folder.clone()),
            public_only: false,
        };
        let leaves = [
            "out",
            "dangling",
            "dangling/x",
            "dir/passwd",
            "dir/no-such",
            "dir/a/b",
        ]
        .map(|path| reach.file(path).is_err());
        let stays = [
            "in",
            "file",
            "inner/file",
            "inner/no-such",
            "no/such",
            "file/x",
        ]
        .map(|path| reach.file(path).is_ok());
        std::fs::remove_dir_all(&folder).expect("it was just made");
        assert_eq!((leaves, stays), ([true; 6], [true; 6]));
    }

    #[test]
    fn inner_addresses() {
        let reach = Reach {
            files: None,
            public_only: true,
        };
        for inner in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "ff02::1",
        ] {
            let address: IpAddr = inner.parse().expect("an address");
            assert!(!reach.admits(address), "{inner}");
            assert!(Reach::default().admits(address));
        }
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
        ] {
            assert!(
                reach.admits(public.parse().expect("an address")),
                "{public}"
            );
        }
    }
}
