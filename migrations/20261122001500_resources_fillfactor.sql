-- Each event of a resource renews its row. With room on its page, the new version needs no entry in any index as long as
-- neither the status nor the parent changes.
ALTER TABLE resources SET (fillfactor = 70);
