//! Builds the static executable into `OUT_DIR/bin`, from where maturin takes it into the wheel.
//!
//! Only under maturin (it sets `PYO3_BUILD_EXTENSION_MODULE`), so that plain `cargo test` and
//! `cargo clippy` do not pay for it. The nested cargo has a target directory of its own: sharing
//! the outer one would deadlock on cargo's lock.
#![expect(clippy::disallowed_methods, reason = "a build script runs cargo")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=PYO3_BUILD_EXTENSION_MODULE");
    println!("cargo::rerun-if-env-changed=S6X_NATIVE_TARGET");
    println!("cargo::rerun-if-env-changed=S6X_NATIVE_PROFILE");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let bin = out.join("bin");
    let _ = std::fs::remove_dir_all(&bin);
    std::fs::create_dir_all(&bin).expect("OUT_DIR is writable");
    let linux = env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux");
    if env::var_os("PYO3_BUILD_EXTENSION_MODULE").is_none() || !linux {
        return;
    }
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let root = Path::new(&manifest).join("../..");
    for source in ["rust/core", "rust/multicall", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    build_native(&root, &out.join("native"), &bin);
}

fn build_native(root: &Path, target_dir: &Path, bin: &Path) {
    let target = native_target();
    let profile = env::var("S6X_NATIVE_PROFILE").unwrap_or_else(|_| "native".into());
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--profile", &profile, "-p", "s6x-multicall", "--bin", "s6x"])
        .args(["--target", &target, "--target-dir"])
        .arg(target_dir)
        .env("CARGO_BUILD_BUILD_DIR", target_dir)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("CARGO_TARGET_DIR")
        .env("RUSTFLAGS", "-C target-feature=+crt-static -C relocation-model=static")
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "building the static executable failed; cargo's messages are above");
    let folder = if profile == "dev" { "debug" } else { &profile };
    std::fs::copy(target_dir.join(&target).join(folder).join("s6x"), bin.join("s6x"))
        .expect("the built executable can be copied");
}

/// `S6X_NATIVE_TARGET`, else the musl target where its std is installed, else the target itself.
fn native_target() -> String {
    if let Ok(target) = env::var("S6X_NATIVE_TARGET") {
        return target;
    }
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let musl = target.replace("-gnu", "-musl");
    let sysroot = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--print", "sysroot"])
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match sysroot {
        Ok(root) if Path::new(&root).join("lib/rustlib").join(&musl).is_dir() => musl,
        _ => target,
    }
}
