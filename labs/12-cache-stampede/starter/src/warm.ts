// TODO(warm): read the rows that are read most, store those without a fresh entry in small batches, and end.
// One at a time for one Redis (lock:warm); what it stores must never undo an update.
console.log(JSON.stringify({ warmed: 0, skipped: 0, batches: 0 }))
