-- SPDX-License-Identifier: Apache-2.0
-- Nodes count the terms of blocks on a clock of their own, and this clock may be
-- set while they do.
set local search_path = ve, ext;

create table clock (
  boot text constraint clock_pkey primary key,
  base timestamptz not null,
  at timestamptz not null,
  constraint clock_boot_check check (length(boot) between 1 and 64)
);
comment on table clock is 'of each machine with a job daemon: when its CLOCK_BOOTTIME began, by this clock; it moves only when this one is set';
comment on column clock.at is 'when it last asked';
drop function if exists block_sync(text);
