//! Claims among many workers, on file systems that are slow and fail.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Attempt, Claims, FencedStorage, Lease};
use crate::storage::{FlakyStorage, MemoryStorage, Storage, Weather, write_synced};

const LEASE: Duration = Duration::from_secs(8);

fn claims(storage: &Arc<MemoryStorage>) -> Claims {
    Claims::open(Arc::clone(storage) as Arc<dyn Storage>, Path::new("claims"), LEASE).unwrap()
}

fn ask(claims: &mut Claims, now: Instant) -> Option<Lease> {
    let newest = claims.newest().unwrap().get("run").copied().unwrap_or(0);
    match claims.try_take("run", newest, now).unwrap() {
        Attempt::Taken(lease) => Some(lease),
        Attempt::Elsewhere => None,
    }
}

/// Looks every second, as a worker that waits does; says after how many seconds the run was its own.
fn watch(claims: &mut Claims, from: Instant, seconds: u64) -> Option<(u64, Lease)> {
    (0..seconds).find_map(|second| Some((second, ask(claims, from + Duration::from_secs(second))?)))
}

#[test]
fn a_run_that_is_given_back_is_anybodys_at_once_and_no_other() {
    let storage = Arc::new(MemoryStorage::new());
    let (mut one, mut other) = (claims(&storage), claims(&storage));
    let now = Instant::now();
    let lease = ask(&mut one, now).unwrap();
    assert!(lease.is_held() && !lease.follows_lapsed());
    lease.renew().unwrap();
    assert!(ask(&mut other, now).is_none() && ask(&mut one, now).is_none());
    lease.clone().release();
    assert!(!lease.is_held());
    let next = ask(&mut other, now).unwrap();
    assert!(!next.follows_lapsed());
}

#[test]
fn one_that_died_is_followed_after_a_lease_of_watching_and_the_next_after_another() {
    let storage = Arc::new(MemoryStorage::new());
    let (mut died, mut second, mut third) = (claims(&storage), claims(&storage), claims(&storage));
    let now = Instant::now();
    ask(&mut died, now).unwrap().renew().unwrap();
    let (after, lease) = watch(&mut second, now, 100).unwrap();
    // A second between looks is less than the share of a lease that counts.
    assert_eq!(after, LEASE.as_secs());
    assert!(lease.follows_lapsed());
    let (after, _) = watch(&mut third, now + Duration::from_secs(100), 100).unwrap();
    assert_eq!(after, LEASE.as_secs());
}

#[test]
fn a_lease_is_as_long_as_its_holder_says() {
    let storage = Arc::new(MemoryStorage::new());
    let (mut patient, mut hasty) = (claims(&storage), claims(&storage));
    hasty.lease = Duration::from_secs(2);
    let now = Instant::now();
    ask(&mut patient, now).unwrap().renew().unwrap();
    // Of the seconds between its looks half a one counts, a quarter of its own lease.
    let (after, _) = watch(&mut hasty, now, 100).unwrap();
    assert_eq!(after, 2 * LEASE.as_secs());
    // And one that waits for longer than others hold waits for as long as it says.
    let (after, _) = watch(&mut patient, now + Duration::from_secs(100), 100).unwrap();
    assert_eq!(after, LEASE.as_secs());
}

#[test]
fn renewals_keep_others_out_whatever_their_clocks_say() {
    let storage = Arc::new(MemoryStorage::new());
    let (mut one, mut other) = (claims(&storage), claims(&storage));
    let lease = ask(&mut one, Instant::now()).unwrap();
    // The other's clock is years ahead, and stands still for hours.
    let clock = Instant::now() + Duration::from_secs(1_000_000_000);
    for hour in 0..20 {
        lease.renew().unwrap();
        for _ in 0..3 {
            assert!(ask(&mut other, clock + Duration::from_secs(3600 * hour)).is_none());
        }
    }
}

#[test]
fn one_that_was_held_up_itself_has_watched_nothing() {
    let storage = Arc::new(MemoryStorage::new());
    let (mut one, mut other) = (claims(&storage), claims(&storage));
    let now = Instant::now();
    let _lease = ask(&mut one, now).unwrap();
    assert!(ask(&mut other, now).is_none());
    // It slept for a day, in which the holder may have renewed its lease as well as not.
    assert!(ask(&mut other, now + Duration::from_secs(86_400)).is_none());
}

#[test]
fn a_holder_that_cannot_renew_stops_before_another_begins_and_writes_no_more() {
    let storage = Arc::new(MemoryStorage::new());
    let mut one =
        Claims::open(Arc::clone(&storage) as Arc<dyn Storage>, Path::new("claims"), Duration::from_millis(80));
    let lease = ask(one.as_mut().unwrap(), Instant::now()).unwrap();
    let fenced = FencedStorage::new(MemoryStorage::clone(&storage), lease.clone());
    write_synced(&fenced, Path::new("first"), b"x").unwrap();
    let mut open = fenced.create(Path::new("second")).unwrap();
    std::thread::sleep(Duration::from_millis(45));
    assert!(!lease.is_held());
    // Lost is lost, also where nobody has taken it yet.
    lease.renew().unwrap();
    assert!(!lease.is_held());
    open.write(b"x").unwrap_err();
    open.sync().unwrap_err();
    fenced.rename(Path::new("first"), Path::new("third")).unwrap_err();
    fenced.remove_file(Path::new("first")).unwrap_err();
    write_synced(&fenced, Path::new("fourth"), b"x").err().unwrap();
    assert_eq!(fenced.read(Path::new("first")).unwrap(), b"x");
}

#[test]
fn a_holder_learns_that_another_has_the_next_claim() {
    let storage = Arc::new(MemoryStorage::new());
    let (mut one, mut other) = (claims(&storage), claims(&storage));
    let now = Instant::now();
    let lease = ask(&mut one, now).unwrap();
    assert!(watch(&mut other, now, 100).is_some());
    assert!(lease.is_held());
    lease.renew().unwrap();
    assert!(!lease.is_held());
}

#[test]
fn of_many_that_ask_at_once_one_gets_each_claim_however_bad_the_file_system() {
    const WORKERS: u64 = 4;
    const RUNS: u64 = 40;
    let weather = Weather { one_fails_in: 6, one_is_late_in: 10, delay: Duration::from_micros(300) };
    for seed in 0..4 {
        let inner = Arc::new(MemoryStorage::new());
        inner.create_dir(Path::new("claims")).unwrap();
        let holders: Vec<AtomicU64> = (0..RUNS).map(|_| AtomicU64::new(0)).collect();
        let taken = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let (inner, holders, taken) = (Arc::clone(&inner), &holders, &taken);
                scope.spawn(move || {
                    let storage: Arc<dyn Storage> =
                        Arc::new(FlakyStorage::new(inner, weather, seed * WORKERS + worker));
                    let mut claims = loop {
                        if let Ok(claims) = Claims::open(Arc::clone(&storage), Path::new("claims"), LEASE) {
                            break claims;
                        }
                    };
                    for run in 0..RUNS {
                        // Each number of each run is asked for by all, over and over.
                        for number in 0..3 {
                            let name = format!("run-{run}");
                            // Failures to ask are no answer.
                            for _ in 0..3 {
                                if let Ok(Attempt::Taken(lease)) = claims.try_take(&name, number, Instant::now()) {
                                    holders[run as usize].fetch_add(1 << (8 * number), Ordering::SeqCst);
                                    taken.fetch_add(1, Ordering::SeqCst);
                                    lease.release();
                                    break;
                                }
                            }
                        }
                    }
                });
            }
        });
        for holders in &holders {
            let counts = holders.load(Ordering::SeqCst).to_le_bytes();
            assert!(counts.iter().all(|count| *count <= 1), "{counts:?}");
        }
        // Most are taken: an asker that believed every answer would get too many, one that believed none too few.
        assert!(taken.load(Ordering::SeqCst) > RUNS as usize, "{taken:?}");
    }
}
