SET ROLE app;

CREATE TABLE orders (id text PRIMARY KEY, user_id int NOT NULL, status text NOT NULL);

RESET ROLE;
