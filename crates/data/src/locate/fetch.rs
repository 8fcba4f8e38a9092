//! Fetching files over HTTP, each checked by its hash before it enters the cache.

use super::{Item, Places, Search, write_whole};
use md5::{Digest, Md5};
use std::path::Path;
use std::time::Duration;

/// How long a machine that does not answer is waited for.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the first byte of an answer may take.
const ANSWER: Duration = Duration::from_secs(20);
/// How long a whole file may take: 30 MB over a slow line.
const WHOLE: Duration = Duration::from_secs(600);
/// More than any file of a data set has; an answer past it is not the file.
const MOST_BYTES: u64 = 1 << 30;

/// Fetches what is missing from the first address that has it; an address that fails once is not asked again.
pub(super) fn fetch(search: &mut Search, places: &Places, cache: &Path) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_global(Some(WHOLE))
        .build()
        .into();
    for base in &places.upstream {
        let missing: Vec<_> = search.missing().collect();
        for (index, item) in missing {
            let address = format!("{}/{}", base.trim_end_matches('/'), item.name);
            let path = cache.join(item.name);
            match fetch_one(&agent, &address, item, &path) {
                Ok(()) => search.found[index] = Some(path),
                Err(why) => {
                    search.note(format!("asked {address}"), why);
                    break;
                }
            }
        }
    }
}

fn fetch_one(agent: &ureq::Agent, address: &str, item: &Item, path: &Path) -> Result<(), String> {
    let mut answer = agent
        .get(address)
        .call()
        .map_err(|error| error.to_string())?;
    let body = answer.body_mut().with_config().limit(MOST_BYTES);
    let bytes = body.read_to_vec().map_err(|error| error.to_string())?;
    if let Some(expected) = item.md5 {
        let found = hexadecimal(&Md5::digest(&bytes));
        if found != expected {
            return Err(format!("refused: its MD5 is {found}, expected {expected}"));
        }
    }
    write_whole(path, &bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
