//! Files that are read are never written, whatever names them and whatever is requested.

use std::fs;
use std::os::unix::fs::symlink;

use super::{descriptors, desk, refused};
use crate::command_line::{Desk, contents};
use crate::images::{evidence, ntfs, shell};

/// A volume in images of which only reading tells all parts; `None` where a tool is missing.
pub(crate) fn images() -> Option<Desk> {
    let desk = evidence();
    let made = ntfs(&desk, "volume.raw", "")
        && shell(&desk, "ewfacquire -u -q -t x -S 1M -c none -C x -D x -e x -E x -N x volume.raw >/dev/null")
        && shell(&desk, "qemu-img convert -f raw -O qcow2 volume.raw base.qcow2")
        && shell(&desk, "qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 top.qcow2")
        && shell(&desk, "qemu-img convert -f raw -O vmdk -o subformat=monolithicFlat volume.raw flat.vmdk")
        && shell(&desk, "split -b 7M -d -a 3 --numeric-suffixes=1 volume.raw split. && rm -r volume.raw img");
    made.then_some(desk)
}

/// F1: segments, parents, extents and parts.
#[test]
fn no_part_of_an_image_is_written_to() {
    let Some(desk) = images() else { return };
    for (evidence, option, output) in [
        ("x.E01", "--output", "x.E02"),
        ("x.E01", "--output", "x.E01"),
        ("x.E01", "--custody", "x.E02"),
        ("top.qcow2", "--output", "base.qcow2"),
        ("flat.vmdk", "--output", "flat-flat.vmdk"),
        ("flat.vmdk", "--custody", "flat.vmdk"),
        ("split.001", "--custody", "split.002"),
        ("split.001", "--output", "split.009"),
    ] {
        for overwrite in [&[][..], &["--overwrite"]] {
            for command in ["audit", "find"] {
                let said = refused(&desk, &[&[command, evidence, option, output], overwrite].concat());
                assert!(said.contains(output), "{evidence} {option} {output}: {said}");
            }
        }
    }
    // Others begin like an image, too, of which nobody says that it is evidence.
    fs::create_dir(desk.path("hive")).unwrap();
    fs::write(desk.path("hive/p.reg"), "REGEDIT4\r\n\r\n").unwrap();
    for output in ["x.E02", "base.qcow2", "flat-flat.vmdk", "split.003"] {
        let said = refused(&desk, &["lint", "hive/p.reg", "--output", output, "--overwrite"]);
        assert!(said.contains("image") && said.contains("never written to"), "{output}: {said}");
    }
    // A next segment is none of ours either.
    let said = refused(&desk, &["audit", "x.E01", "--output", "x.E99"]);
    assert!(said.contains("never written to"), "{said}");
}

/// An image that cannot be opened is evidence, and so are the parts of it that could be opened before it failed.
#[test]
fn no_part_of_an_image_that_cannot_be_opened_is_written_to() {
    let Some(desk) = images() else { return };
    // What comes later is broken or missing; the beginning of what is written to tells nothing.
    assert!(shell(&desk, "printf x | dd of=x.E03 conv=notrunc status=none && ln x.E02 segment"));
    assert!(shell(
        &desk,
        "qemu-img create -q -f qcow2 -b top.qcow2 -F qcow2 child.qcow2 && ln top.qcow2 parent && rm base.qcow2"
    ));
    assert!(shell(&desk, "printf x >>split.003 && ln split.002 part"));
    assert!(shell(&desk, r#"ln flat-flat.vmdk extent && sed -i 's/^RW.*/&\nRW 2048 FLAT "none.vmdk" 0/' flat.vmdk"#));
    for (evidence, output, says) in [
        ("x.E01", "x.E02", "x.E02"),
        ("x.E01", "segment", "a segment of an E01 image"),
        ("child.qcow2", "parent", "image"),
        ("split.001", "part", "expected a file that is not read, found split.002"),
        ("flat.vmdk", "extent", "image"),
    ] {
        for option in ["--output", "--custody"] {
            for command in ["audit", "find"] {
                let said = refused(&desk, &[command, evidence, option, output, "--overwrite"]);
                assert!(said.contains(says), "{evidence}: {said}");
            }
        }
    }
    // Where other evidence is sound, custody lists them all the same.
    assert!(shell(&desk, "mkdir case && mv x.E* segment case"));
    crate::fixture::compile("windows-7-bits-disabled").unwrap().write(&desk.path("evidence")).unwrap();
    let output = desk.run(&["audit", "evidence", "case/x.E01", "--custody", "custody.json", "--output", "out"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let custody = fs::read_to_string(desk.path("custody.json")).unwrap();
    assert!(["case/x.E01", "case/x.E02", "case/x.E03"].iter().all(|part| custody.contains(part)), "{custody}");
}

/// What only reading reveals, under a name and with a beginning that tell nothing.
#[test]
fn a_part_of_the_evidence_is_known_by_its_identity_in_every_command() {
    let Some(desk) = images() else { return };
    assert!(shell(&desk, "ln split.002 notes && ln -s notes link"));
    fs::write(desk.path("p.reg"), "Windows Registry Editor Version 5.00\r\n\r\n").unwrap();
    let hive = "split.001!WINDOWS/system32/config/SYSTEM";
    for output in ["notes", "link"] {
        for arguments in [
            &["audit", "split.001"][..],
            &["find", "split.001"],
            &["history", "split.001"],
            &["show", hive, "Select"],
            &["verify", "p.reg", "split.001"],
        ] {
            let said = refused(&desk, &[arguments, &["--output", output, "--overwrite"]].concat());
            assert!(said.contains("expected a file that is not read, found split.002"), "{arguments:?}: {said}");
        }
        // Nothing of the other outputs is there, though they could be written.
        let arguments =
            ["audit", "split.001", "--custody", "new", "--patch", "patch", "--overwrite", "--output", output];
        refused(&desk, &arguments);
    }
}

/// F1: hives, patches and passwords.
#[test]
fn what_is_named_is_not_written_to() {
    let desk = desk();
    let config = "evidence/windows-7-bits-disabled/Windows/System32/config";
    let (software, system) = (format!("{config}/SOFTWARE"), format!("{config}/SYSTEM"));
    fs::hard_link(desk.path("p.reg"), desk.path("q")).unwrap();
    fs::write(desk.path("password"), "secret\n").unwrap();
    symlink("password", desk.path("link")).unwrap();
    let log = format!("{software}.LOG1");
    let case = [
        (&["audit", software.as_str()][..], "--output", system.as_str()),
        (&["audit", software.as_str()], "--output", log.as_str()),
        (&["audit", software.as_str()], "--custody", system.as_str()),
        (&["show", software.as_str()], "--output", system.as_str()),
        (&["verify", "p.reg", "evidence"], "--output", "p.reg"),
        (&["verify", "p.reg", "evidence"], "--output", "q"),
        (&["verify", "p.reg", "evidence"], "--output", "evidence/new"),
        (&["lint", "p.reg"], "--output", "q"),
        (&["audit", "evidence", "--password-file", "password"], "--output", "password"),
        (&["audit", "evidence", "--password-file", "password"], "--custody", "link"),
        (&["history", "evidence", "--password-file", "link"], "--output", "password"),
    ];
    for (arguments, option, output) in case {
        for overwrite in [&[][..], &["--overwrite"]] {
            let said = refused(&desk, &[arguments, &[option, output], overwrite].concat());
            assert!(said.contains("never written to"), "{arguments:?} {output}: {said}");
        }
    }
    let said = refused(&desk, &["audit", "evidence", "--patch", "evidence/patch", "--overwrite"]);
    assert!(said.contains("never written to"), "{said}");
}

/// What stdin and stdout were opened on counts, too.
#[test]
fn what_the_shell_opened_is_not_written_to_either() {
    let desk = desk();
    descriptors(&desk);
    let hive = "evidence/windows-7-bits-disabled/Windows/System32/config/SYSTEM";
    let before = contents(&desk.path(""));
    let program = env!("CARGO_BIN_EXE_hivemend");
    for script in [
        format!("'{program}' lint - --output p.reg --overwrite <p.reg"),
        format!("'{program}' audit evidence >>{hive}"),
        format!("'{program}' audit evidence --output stdout >>{hive}"),
        format!("'{program}' audit evidence --output fd/3 3>>{hive}"),
        format!("'{program}' verify p.reg evidence >>p.reg"),
    ] {
        let output =
            std::process::Command::new("sh").args(["-c", &script]).current_dir(desk.path("")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains("never written to"), "{script}: {said}");
    }
    assert!(contents(&desk.path("")) == before);
}

#[test]
fn hives_and_archives_are_never_replaced_even_where_nobody_reads_them() {
    let desk = desk();
    for (name, bytes) in [("hive", &b"regf"[..]), ("zip", b"PK\x03\x04"), ("dirt", b"HvLE"), ("x.gz", b"\x1f\x8b\x08")]
    {
        fs::write(desk.path(name), bytes).unwrap();
        let said = refused(&desk, &["audit", "evidence", "--output", name, "--overwrite"]);
        assert!(said.contains("not even with --overwrite"), "{name}: {said}");
    }
}

/// A folder of the evidence that is mounted elsewhere is still in the evidence.
#[test]
fn evidence_that_is_mounted_elsewhere_is_not_written_to() {
    let desk = desk();
    let script = "mkdir other && mount --bind evidence/windows-7-bits-disabled/Windows/System32/config other || exit 127; \
                  \"$H\" audit evidence --output other/new; code=$?; ls other; umount other; echo $code";
    let Some(said) = super::done(&desk, script) else { return };
    assert!(said.starts_with("SOFTWARE\nSYSTEM\n2\n") && said.contains("never written to"), "{said}");
}
