# SPDX-License-Identifier: Apache-2.0
portal_db    := fault.c db.c db_account.c db_ve.c
portal_base  := conf.c file.c token.c url.c
portal_web   := $(portal_base) $(portal_db) db_admin.c passwd.c html.c utf8.c tmpl.c tmpl_parse.c \
                sanity.c field.c request.c answer.c route.c serve.c worker.c asset.c certs.c channel.c \
                web.c web_send.c slow.c relay.c relay_conn.c ear.c line.c sandbox.c sshkey.c page_public.c \
                page_account.c page_confirm.c page_ve.c page_admin.c page_plan.c page_terminal.c gate.c proxy.c proxy_head.c proxy_pump.c
portal_archive := portal/portal.a
portal_pkgs  := libmicrohttpd json-c openssl libpq libcurl libargon2 libseccomp

# Everything but the mains in one archive: programs and unit tests take what they need.
$(eval $(call archive,$(portal_archive),$(addprefix portal/,$(portal_web) dns.c operator.c front.c),$(portal_pkgs)))

portal_links := $(portal_archive) $(LIBVE)
$(eval $(call program,ve-portald,portal/main.c,$(portal_links),$(portal_pkgs),-lwslay))

all: $(BUILD)/bin/ve-portald

portal_jobd := jobd.c jobd_drive.c jobd_work.c jobd_house.c jobd_mail.c jobd_dns.c dns_send.c mail.c db_job.c
$(eval $(call program,ve-jobd,$(addprefix portal/,$(portal_jobd)),$(portal_links),$(portal_pkgs),-lwslay))
all: $(BUILD)/bin/ve-jobd

$(eval $(call program,ve-signer,$(addprefix portal/,signer.c cert.c),$(portal_links),$(portal_pkgs),-lwslay))
all: $(BUILD)/bin/ve-signer

$(eval $(call program,ve-keys,portal/keys.c,$(portal_links),$(portal_pkgs),-lwslay))
$(eval $(call program,ve-shell,portal/shell.c portal/shell_run.c,$(portal_links),$(portal_pkgs),-lwslay))
all: $(BUILD)/bin/ve-keys $(BUILD)/bin/ve-shell
