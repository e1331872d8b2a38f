//! Hard links of a tar archive: further names of a file in an earlier member.

use super::index::{Index, follow};
use super::tar_walk::Member;

/// The longest chain of hard links.
const MOST_LINKS: usize = 16;

/// Gives each hard link the number and the size of its target.
pub(super) fn resolve(index: &mut Index, members: &mut [Member]) {
    if members.iter().all(|member| member.link.is_none()) {
        return;
    }
    let mut resolved = Vec::new();
    {
        let (folders, files) = (index.folders(), index.files());
        let target = |link: &[u8]| index.member(follow(&folders, &files, link)?);
        for (number, member) in members.iter().enumerate() {
            let Some(link) = &member.link else { continue };
            let mut at = target(link);
            for _ in 0..MOST_LINKS {
                let next = at.and_then(|at| members.get(at)).and_then(|member| member.link.as_deref());
                let Some(next) = next else { break };
                at = target(next);
            }
            let found = at.filter(|at| members.get(*at).is_some_and(|member| member.link.is_none()));
            resolved.push((number, found.ok_or_else(|| String::from_utf8_lossy(link).escape_debug().to_string())));
        }
    }
    for (number, found) in resolved {
        let Some(member) = members.get_mut(number) else { continue };
        match found {
            Ok(target) => member.target = Some(target),
            Err(link) => {
                member.broken = Some(format!("it is a hard link to {link}, which is not in the archive").into());
            }
        }
    }
    for (entry, number) in index.each_mut() {
        let member = number.and_then(|number| members.get(usize::try_from(number).ok()?));
        if let Some(target) = member.and_then(|member| members.get(member.target?)) {
            entry.size = target.size;
        }
    }
}
