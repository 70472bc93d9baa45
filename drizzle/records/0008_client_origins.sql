-- Origins of a client's pages, from which a browser may ask (CORS): JSON, a list of texts. Read by isolates as a whole, so found
-- without going through the clients of facilities.
alter table client add column origins text not null default '[]' check (json_valid(origins));
--> statement-breakpoint
create index client_with_origins on client (row) where valid_to is null and origins <> '[]';
