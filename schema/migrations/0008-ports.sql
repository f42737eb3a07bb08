-- SPDX-License-Identifier: Apache-2.0
-- What a VE shows the world under its name.
set local search_path = ve, ext;

alter table ve add column port integer not null default 80,
  add constraint ve_port_check check (port between 1 and 65535);
comment on column ve.port is 'where requests for its name go, inside it';
insert into rate_rule values ('wake', interval '1 minute', 30);
drop function if exists ve_rename(bytea, integer, text);
