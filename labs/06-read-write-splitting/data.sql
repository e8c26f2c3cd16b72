-- `app` owns everything, as in every lab, and may make tables: statements of the tests do.
SET ROLE app;

CREATE TABLE accounts (id int PRIMARY KEY, owner text NOT NULL, balance int NOT NULL);
INSERT INTO accounts SELECT n, 'owner-' || n, 100 FROM generate_series(1, 50) n;

CREATE TABLE audit_log (id serial PRIMARY KEY, note text);

CREATE TABLE page_views (id int, kind int);
INSERT INTO page_views SELECT n, n % 10 FROM generate_series(1, 2000) n;

-- Large enough that reading all of it costs something, by the planner's own account.
CREATE TABLE readings (id int, v int);
INSERT INTO readings SELECT n, n % 97 FROM generate_series(1, 50000) n;

-- Named to mislead whoever looks for keywords in the text.
CREATE TABLE updates (id int PRIMARY KEY, note text);
INSERT INTO updates SELECT n, 'note ' || n FROM generate_series(1, 10) n;

CREATE SEQUENCE tickets;

-- A SELECT that writes.
CREATE FUNCTION credit(account int, amount int) RETURNS int LANGUAGE sql VOLATILE AS
$$ UPDATE accounts SET balance = balance + amount WHERE id = account RETURNING balance $$;

-- A SELECT that only looks.
CREATE FUNCTION balance_of(account int) RETURNS int LANGUAGE sql STABLE AS
$$ SELECT balance FROM accounts WHERE id = account $$;

RESET ROLE;

-- The planner's costs are the same on every replica.
ANALYZE accounts, audit_log, page_views, readings, updates;
