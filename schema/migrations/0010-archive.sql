-- SPDX-License-Identifier: Apache-2.0
-- The last step of the ladder, and the key in a letter that keeps a VE from its
-- next one.
set local search_path = ve, ext;

alter type ve_state add value 'archived';

alter table plan
  add column archive_after interval not null default interval '0',
  add column lease_max interval not null default interval '0',
  add constraint plan_archive_check check (archive_after between interval '0' and interval '1 year'
    and lease_max between interval '0' and interval '1 year');
comment on column plan.archive_after is 'stopped so long a VE''s files are packed away; 0 never';
comment on column plan.lease_max is 'while others wait for an IPv4 address nobody keeps one longer; 0 for ever';
update plan set archive_after = interval '3 days', lease_max = interval '1 hour' where name = 'trial';
update plan set archive_after = interval '14 days', lease_max = interval '4 hours' where name = 'confirmed';
update plan set archive_after = interval '60 days', lease_max = interval '1 day' where name = 'large';

alter table ve
  add column stopped_at timestamptz,
  add column stopped_warned boolean not null default false;

alter table mail add column keeps integer constraint mail_keeps_fk references ve;
comment on column mail.keeps is
  'the letter warns of what is going to happen to this VE: {link} in it becomes a link that puts it off';

create table keep (
  token_hash bytea not null constraint keep_pkey primary key,
  veid integer not null constraint keep_ve_fk references ve,
  expires_at timestamptz not null default now() + interval '14 days',
  constraint keep_token_hash_check check (octet_length(token_hash) = 32)
);
comment on table keep is 'links that were sent and are good for one press; their words are kept nowhere';
create index keep_veid_idx on keep (veid);
