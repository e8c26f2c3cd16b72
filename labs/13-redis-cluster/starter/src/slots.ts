export const SLOTS = 16_384

// TODO(slots): which of the 16,384 slots does a key lie in? A cluster client knows; to group a batch, you need to
// know it too. Redis hashes with CRC16 (XMODEM), and tells you with CLUSTER KEYSLOT.

// #region hash-tag
// TODO(hash-tags): what of a key is hashed?
// #endregion hash-tag
