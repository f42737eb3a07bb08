-- SPDX-License-Identifier: Apache-2.0
-- Sleep is said ahead by a letter as well, where a plan warns early enough for one.
set local search_path = ve, ext;

alter table ve add column idle_warned boolean not null default false;
comment on column plan.warn is 'so long ahead of sleep the terminal and the page say so, and from ten minutes on a letter too';
