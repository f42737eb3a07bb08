-- SPDX-License-Identifier: Apache-2.0
-- A confirmation is for one person, once, for a day.
select plan(13);
select is((select count(*)::int from mail where confirms is not null), 1, 'a sign-up asks for a confirmation');
select is((mail_claim() ->> 'confirms'), 'true', 'by a letter');
select confirm_link((select max(id) from mail), pg_temp.h('link1'));
select confirm_link((select max(id) from mail), pg_temp.h('link2'));
select is((select count(*)::int from confirmation), 2, 'each attempt to send it makes a link of its own');
select throws_ok($$select account_confirm(pg_temp.h('link3'))$$, 'VE021', null, 'a made-up link is refused');
update confirmation set expires_at = now() where token_hash = pg_temp.h('link1');
select throws_ok($$select account_confirm(pg_temp.h('link1'))$$, 'VE021', null, 'an old one too');
select is((select plan from ve), 'trial', 'the VE is as it was');
select is(account_confirm(pg_temp.h('link2')) ->> 'email', 'ann@example.net', 'a good one confirms');
select is((select plan from ve), 'confirmed', 'and the VE has more');
select throws_ok($$select account_confirm(pg_temp.h('link2'))$$, 'VE021', null, 'once');
select is((select count(*)::int from confirmation), 0, 'no link is left');
select throws_ok($$select account_confirm_ask(pg_temp.h('ann'))$$, 'VE022', null, 'no more letters then');
select mail_finish((select max(id) from mail), null, false);
select confirm_link((select max(id) from mail), pg_temp.h('link4'));
select is((select count(*)::int from confirmation), 0, 'a letter that was sent takes no link');
select pg_temp.work();
update ve set desired = 'deleted', deleted_at = now(), state = 'absent';
update node set placed = 0;
select ve_create(pg_temp.h('ann'), 'tiny', '192.0.2.7');
select is((select plan from ve where deleted_at is null), 'confirmed', 'the next VE of a confirmed person has it from the start');
