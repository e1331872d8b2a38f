//! Random but reproducible damage to the data that an audit judges.

use hivemend::examination::Examination;
use hivemend::finding::{Finding, Verdict};
use hivemend::reg_file::{Dialect, KeyPath, Operation, check_operation};
use hivemend::registry::DataType;

use crate::damage::Seeded;
use crate::fixture::root_of;

/// So many damages of a machine are tried.
pub(crate) const ROUNDS: usize = 20;

/// One to five changes of values that conform, or that should not be there, as operations on the hives' usual roots; each
/// of a value of its own, and such that every importer can carry them out.
pub(crate) fn damages(healthy: &Examination, random: &mut Seeded) -> Vec<Operation> {
    let judgement = healthy.report.installations[0].judgement.as_ref().unwrap();
    let is_value = |finding: &&Finding| {
        finding.verdict == Verdict::Conforms && finding.observed.is_some() && finding.remediation.is_none()
    };
    let mut findings: Vec<&Finding> = judgement.findings.iter().filter(is_value).collect();
    assert!(findings.len() > 20, "only {} values to damage", findings.len());
    let mut operations: Vec<Operation> = Vec::new();
    for _ in 0..=random.below(5) {
        let finding = findings.swap_remove(random.below(findings.len()));
        let operation = damage(finding, random);
        let place = |one: &Operation| (one.key().to_string().to_uppercase(), one.value_name().map(<[u16]>::to_vec));
        let is_new = operations.iter().all(|other| place(other) != place(&operation));
        let sayable = [Dialect::Hivex, Dialect::Regedit5].map(|dialect| check_operation(&operation, dialect).is_ok());
        if is_new && sayable == [true; 2] {
            operations.push(operation);
        }
    }
    operations
}

fn damage(finding: &Finding, random: &mut Seeded) -> Operation {
    let root = root_of(finding.hive.unwrap().as_str());
    let key = KeyPath::from(format!("{root}\\{}", finding.key.as_ref().unwrap()).as_str());
    let name: Vec<u16> = finding.stored_name.as_ref().or(finding.value.as_ref()).unwrap().encode_utf16().collect();
    let observed = finding.observed.as_ref().unwrap();
    let (data_type, mut bytes) = (observed.datum.data_type, observed.raw.clone());
    let text = |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let (data_type, bytes) = match random.below(6) {
        0 => return Operation::DeleteValue { key, name },
        1 => (DataType::SZ, text(&format!(r"C:\{:x}.dll", random.next()))),
        2 => (DataType::DWORD, random.next().to_le_bytes()[..4].to_vec()),
        3 => (DataType::BINARY, bytes),
        4 => {
            // Another letter or another digit of the same text, list or number.
            let at = random.below(bytes.len()) & !1;
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1;
            }
            (data_type, bytes)
        }
        _ => {
            let failure = "FailureCommand".encode_utf16().collect();
            let (data_type, bytes) = (DataType::SZ.0, text(&format!(r"C:\{:x}.exe", random.next())));
            return Operation::SetValue { key, name: failure, data_type, bytes };
        }
    };
    Operation::SetValue { key, name, data_type: data_type.0, bytes }
}
