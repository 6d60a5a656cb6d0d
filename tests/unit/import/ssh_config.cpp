// SPDX-License-Identifier: Apache-2.0
// ssh_config: which hosts there are, and which values apply to them.
#include "importing.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr std::string_view k_config = R"(# defaults come last in a good file
Include ~/.ssh/config.d/*

Host files files-test
    HostName %h.example.com
    User edi
    Port 2222
    IdentityFile ~/.ssh/id_files
    IdentityFile ~/.ssh/id_other
    ProxyJump bastion

Host bastion
  hostname=10.0.0.1
  User "jump user"
  ForwardAgent yes # for the jump

Host *.internal !secret.internal
    User nobody

Host web.internal secret.internal

Match host 10.0.0.1
    Port 2200
Match exec "test -f /tmp/x"
    Port 1

Host *-unused
    Compression yes

Host *
    User fallback
    ServerAliveInterval 60
    IdentityFile ${KEYS}/default
)";

}  // namespace

TEST_CASE("each host that is named becomes an sftp connection with the first value that applies", "[import]") {
    const Imported imported = import_text("ssh", k_config);
    INFO(findings(imported));
    check_round_trip(imported);

    REQUIRE(imported.definitions.size() == 5);
    CHECK(definition(imported, "files").url == "sftp://edi@files.example.com:2222");
    CHECK(option(definition(imported, "files"), "keyfile") == Value{"$HOME/.ssh/id_files"});
    CHECK(definition(imported, "files-test").url == "sftp://edi@files-test.example.com:2222");
    CHECK(definition(imported, "bastion").url == "sftp://jump user@10.0.0.1:2200");
    CHECK(definition(imported, "web.internal").url == "sftp://nobody@web.internal");
    CHECK(definition(imported, "secret.internal").url == "sftp://fallback@secret.internal");
    CHECK(option(definition(imported, "secret.internal"), "keyfile") == Value{"${KEYS}/default"});
}

TEST_CASE("what an ssh_config loses is told once a line, with the number of hosts", "[import]") {
    const std::string told = findings(import_text("ssh", k_config));
    CHECK(has(told, "2:1 warning include"));
    CHECK(has(told, "9:5 warning not-carried: the keyword 'IdentityFile' is not carried over (2 hosts)"));
    CHECK(has(told, "10:5 warning not-carried: the keyword 'ProxyJump' is not carried over (2 hosts)"));
    CHECK(has(told, "15:3 note not-carried: the keyword 'ForwardAgent' is not carried over"));
    CHECK(has(told, "24:1 warning match"));
    CHECK(has(told, "28:5 note applies-to-none: the keyword 'Compression'"));
    CHECK(has(told, "32:5 note not-carried: the keyword 'ServerAliveInterval' is not carried over (5 hosts)"));
#ifdef QCONN_WITHOUT_SSH
    CHECK(has(told, "unknown-scheme: this build has no scheme 'sftp': 5 connections are written"));
#else
    CHECK_FALSE(has(told, "unknown-scheme"));
#endif
    CHECK_FALSE(has(told, "'HostName'"));
    CHECK_FALSE(has(told, "'User'"));
}

TEST_CASE("an ssh_config makes no command reference of ours", "[import]") {
    const Imported imported = import_text("ssh", "Host a\nUser ${file}\nIdentityFile \"${cmd:touch x}/${HOME}/k\"\n");
    check_round_trip(imported);
    CHECK(definition(imported, "a").url == "sftp://$${file}@a");
    CHECK(option(definition(imported, "a"), "keyfile") == Value{"$${cmd:touch x}/${HOME}/k"});
}

TEST_CASE("lines of an ssh_config that are none are told and cost nothing else", "[import]") {
    const Imported imported = import_text("ssh", "Host a \"b\nHost c\nPort many\nUser\nHostName h.example other\nIdentityFile none\n");
    INFO(findings(imported));
    CHECK(imported.definitions.size() == 1);
    CHECK(definition(imported, "c").url == "sftp://h.example");
    CHECK(definition(imported, "c").options.empty());
    const std::string told = findings(imported);
    CHECK(has(told, "1:1 error bad-line"));
    CHECK(has(told, "3:1 warning bad-value: the keyword 'Port' is not carried over: it is not a whole number from 0 to 65535"));
    CHECK(has(told, "4:1 error bad-line"));
    CHECK(has(told, "5:1 warning extra-words"));
}

TEST_CASE("hostile numbers of patterns end in an error", "[import]") {
    std::string text = "Host";
    for (int i = 0; i < 30'000; ++i) text += " *" + std::to_string(i);
    const Imported imported = import_text("ssh", text + "\nHost a\n");
    CHECK(imported.definitions.empty());
    CHECK(has(findings(imported), "1:1 error limit"));
}
