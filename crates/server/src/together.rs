//! Equal questions asked together: who comes while one is on its way waits for the next one, and all who wait share its
//! answer. Nobody is given an answer whose question was put before they came, so it is never older than their request.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Who waits for which answer.
#[derive(Debug)]
pub struct Together<K, V>(Mutex<HashMap<K, Arc<Line<V>>>>);

/// Those who ask the same.
#[derive(Debug)]
struct Line<V> {
    came: AtomicU64,
    is_asked: AtomicBool,
    /// The last answer, and how many had come when its question was put. All who wait are woken at once: one by one, each by
    /// the one before, they would all follow each other on one processor.
    last: watch::Sender<(u64, Option<V>)>,
}

/// The right to put the question. Its end, however it comes, wakes those who wait.
struct Turn<'a, V>(&'a Line<V>);

impl<V> Drop for Turn<'_, V> {
    fn drop(&mut self) {
        self.0.is_asked.store(false, Ordering::SeqCst);
        self.0.last.send_modify(|_| ());
    }
}

impl<K, V> Default for Together<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Together<K, V> {
    /// The answer to this question, put by `ask` unless somebody else puts it after this moment. An error is told to
    /// whoever put it; the next one puts it again.
    pub async fn ask<E>(&self, question: &K, ask: impl AsyncFnOnce() -> Result<V, E>) -> Result<V, E> {
        let line = self.lock().entry(question.clone()).or_insert_with(|| Arc::new(Line::new())).clone();
        let mine = line.came.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = line.answer(mine, ask).await;
        let mut lines = self.lock();
        // This one's and the map's: nobody else waits.
        if Arc::strong_count(&line) == 2 {
            lines.remove(question);
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Line<V>>>> {
        // A poisoned map only forgets who waits with whom.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Clone> Line<V> {
    fn new() -> Self {
        Self {
            came: AtomicU64::new(0),
            is_asked: AtomicBool::new(false),
            last: watch::Sender::new((0, None)),
        }
    }

    fn turn(&self) -> Option<Turn<'_, V>> {
        (!self.is_asked.swap(true, Ordering::SeqCst)).then(|| Turn(self))
    }

    async fn answer<E>(&self, mine: u64, ask: impl AsyncFnOnce() -> Result<V, E>) -> Result<V, E> {
        let mut news = self.last.subscribe();
        loop {
            if let (asked, Some(answer)) = &*self.last.borrow()
                && *asked >= mine
            {
                return Ok(answer.clone());
            }
            if let Some(turn) = self.turn() {
                let came = self.came.load(Ordering::SeqCst);
                let answer = ask().await?;
                // Whoever is woken finds it, and may put the next question: the turn ends after it and wakes them.
                self.last.send_if_modified(|last| {
                    *last = (came, Some(answer.clone()));
                    false
                });
                drop(turn);
                return Ok(answer);
            }
            // It cannot be closed: its sender is borrowed here.
            let _ = news.changed().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::sync::{Notify, mpsc};

    use super::*;

    /// Those who come while a question is on its way share the next one, and nobody the one before they came.
    #[tokio::test]
    async fn who_waits_shares_the_next_answer_and_no_earlier_one() {
        let together = Arc::new(Together::<&str, u64>::default());
        let (put, mut puts) = mpsc::unbounded_channel();
        let go = Arc::new(Notify::new());
        let asked = Arc::new(AtomicU64::new(0));
        let visit = || {
            let (together, put, go, asked) = (together.clone(), put.clone(), go.clone(), asked.clone());
            tokio::spawn(async move {
                let ask = async || {
                    let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
                    put.send(number).unwrap();
                    go.notified().await;
                    Ok::<_, Infallible>(number)
                };
                together.ask(&"who", ask).await.unwrap()
            })
        };
        let first = visit();
        assert_eq!(puts.recv().await, Some(1));
        let others: Vec<_> = (0..5).map(|_| visit()).collect();
        while together.lock()["who"].came.load(Ordering::SeqCst) < 6 {
            tokio::task::yield_now().await;
        }
        go.notify_one();
        assert_eq!(first.await.unwrap(), 1);
        assert_eq!(puts.recv().await, Some(2));
        go.notify_one();
        for other in others {
            assert_eq!(other.await.unwrap(), 2, "one question for all who waited");
        }
        assert!(together.lock().is_empty(), "nothing is kept of what nobody waits for");
        let later = visit();
        assert_eq!(puts.recv().await, Some(3), "a later one is not given an old answer");
        go.notify_one();
        assert_eq!(later.await.unwrap(), 3);
    }

    /// Whoever puts the question may go away before it is answered; those who wait put it themselves.
    #[tokio::test]
    async fn who_goes_away_leaves_nobody_waiting() {
        let together = Arc::new(Together::<&str, u64>::default());
        let (put, mut puts) = mpsc::unbounded_channel();
        let first = tokio::spawn({
            let together = together.clone();
            async move {
                let ask = async || {
                    put.send(()).unwrap();
                    std::future::pending::<Result<u64, Infallible>>().await
                };
                together.ask(&"who", ask).await.unwrap()
            }
        });
        puts.recv().await.unwrap();
        let second = tokio::spawn({
            let together = together.clone();
            async move { together.ask(&"who", async || Ok::<_, Infallible>(2)).await.unwrap() }
        });
        while together.lock()["who"].came.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert_eq!(second.await.unwrap(), 2);
    }

    /// An error is told to whoever put the question; whoever waits puts it again.
    #[tokio::test]
    async fn an_error_is_not_shared() {
        let together = Together::<&str, u64>::default();
        assert_eq!(together.ask(&"who", async || Err("gone")).await, Err("gone"));
        assert_eq!(together.ask(&"who", async || Ok::<_, &str>(7)).await, Ok(7));
    }
}
