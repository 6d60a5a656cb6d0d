// SPDX-License-Identifier: Apache-2.0
#include "ftp/listing.hpp"

#include <string>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::ftp;

namespace {

constexpr std::chrono::system_clock::time_point k_now{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};

ListingLine list(std::string_view line) { return parse_list(line, k_now); }

std::string time_of(const FileInfo& info) { return info.modified ? format_time(*info.modified) : "none"; }

}  // namespace

TEST_CASE("a line of MLSD tells type, size, time, mode and name", "[ftp]") {
    const ListingLine line = parse_mlst("type=file;size=1024;modify=20260131235959.250;UNIX.mode=0644;unix.uid=7;unix.gid=8; a;b =c.txt");
    REQUIRE(line.kind == ListingLine::Kind::entry);
    CHECK(line.info.name == "a;b =c.txt");
    CHECK(line.info.type == FileType::file);
    CHECK(line.info.size == 1024);
    CHECK(line.info.mode == 0644U);
    CHECK(line.info.uid == 7U);
    CHECK(line.info.gid == 8U);
    CHECK(line.info.modified == *parse_time("20260131235959") + std::chrono::milliseconds{250});
}

TEST_CASE("names in MLSD keep their blanks, at the beginning too", "[ftp]") {
    CHECK(parse_mlst("Type=file;  two").info.name == " two");
    CHECK(parse_mlst("Type=file; end ").info.name == "end ");
    CHECK(parse_mlst(" bare").info.name == "bare");
}

TEST_CASE("directories, links and the directory itself are told apart in MLSD", "[ftp]") {
    CHECK(parse_mlst("type=dir; d").info.type == FileType::directory);
    CHECK(parse_mlst("type=cdir; /x").kind == ListingLine::Kind::nothing);
    CHECK(parse_mlst("type=pdir; ..").kind == ListingLine::Kind::nothing);
    const ListingLine link = parse_mlst("type=OS.unix=slink:/target; l");
    CHECK(link.info.type == FileType::symlink);
    CHECK(link.info.target == "/target");
    CHECK(parse_mlst("type=OS.unix=symlink; l").info.type == FileType::symlink);
    CHECK(parse_mlst("type=OS.unix=chr-1/3; null").info.type == FileType::other);
}

TEST_CASE("what is no line of MLSD is unreadable", "[ftp]") {
    CHECK(parse_mlst("nonsense").kind == ListingLine::Kind::unreadable);
    CHECK(parse_mlst("drwxr-xr-x 2 a b 3 Jan 1 12:00 x").kind == ListingLine::Kind::unreadable);
    CHECK(parse_mlst("type=file;").kind == ListingLine::Kind::unreadable);
}

TEST_CASE("lines of ls -l are read with each of its times", "[ftp]") {
    struct Sample {
        const char* line;
        const char* name;
        std::uint64_t size;
        const char* time;
    };
    const Sample samples[] = {
        {"-rw-r--r--   1 1000     100          1024 Jan 31 23:59 a.txt", "a.txt", 1024, "20260131235900"},
        {"-rw-r--r--   1 owner    group        1024 Mar 10 12:00 today", "today", 1024, "20260310120000"},
        {"-rw-r--r--   1 owner    group        1024 Dec 31 12:00 last year", "last year", 1024, "20251231120000"},
        {"-rw-r--r--   1 owner    group        1024 Jan 31  2019 b", "b", 1024, "20190131000000"},
        {"-rw-r--r--   1 owner    group        1024 31 Jan 2019 b", "b", 1024, "20190131000000"},
        {"-rw-r--r-- 1 owner group 7 2026-01-31 23:59 iso", "iso", 7, "20260131235900"},
        {"-rw-r--r-- 1 owner group 7 2026-01-31 23:59:58.123456789 +0100 full", "full", 7, "20260131225958"},
        {"-rw-r--r-- 1 owner group 7 01-31 23:59 short", "short", 7, "20260131235900"},
        {"-rw-r--r-- 1 owner 7 Jan 31 2019 without group", "without group", 7, "20190131000000"},
        {"-rw-r--r-- 1 7 Jan 31 2019 without both", "without both", 7, "20190131000000"},
        {"-rw-r--r--+ 1 two words group 7 Jan 31 2019 acl", "acl", 7, "20190131000000"},
        {"-rw-r--r-- 1 owner group 7 Jan 31 23:59:58 2019 seconds", "seconds", 7, "20190131235958"},
        {"-rw-r--r-- 1 owner group 7 Feb 29 12:00 leap", "leap", 7, "20240229120000"},
        {"-rw-r--r-- 1 owner group 7 Jan 31 23:59  blank", " blank", 7, "20260131235900"},
        {"-rw-r--r-- 1 owner group 7 Jan 31 23:59 2019 x", "2019 x", 7, "20260131235900"},
    };
    for (const Sample& one : samples) {
        INFO(one.line);
        const ListingLine line = list(one.line);
        REQUIRE(line.kind == ListingLine::Kind::entry);
        CHECK(line.info.name == one.name);
        CHECK(line.info.size == one.size);
        CHECK(time_of(line.info) == one.time);
        CHECK(line.info.type == FileType::file);
        CHECK(line.info.mode == 0644U);
    }
    CHECK(list(samples[0].line).info.uid == 1000U);
    CHECK(list(samples[0].line).info.gid == 100U);
    const auto part = *list(samples[6].line).info.modified - *parse_time("20260131225958");
    CHECK(std::chrono::duration_cast<std::chrono::nanoseconds>(part).count() / 1000 == 123456);
}

TEST_CASE("types, modes and targets are read from ls -l", "[ftp]") {
    const ListingLine link = list("lrwxrwxrwx 1 a b 6 Jan 31 2019 here -> there -> far");
    CHECK(link.info.type == FileType::symlink);
    CHECK(link.info.name == "here");
    CHECK(link.info.target == "there -> far");
    CHECK(list("drwxr-sr-t 2 a b 4096 Jan 31 2019 d").info.type == FileType::directory);
    CHECK(list("drwxr-sr-t 2 a b 4096 Jan 31 2019 d").info.mode == 03755U);
    CHECK(list("-rwSr--r-T 2 a b 4096 Jan 31 2019 d").info.mode == 05644U);
    const ListingLine device = list("crw-rw-rw- 1 root root 1, 3 Jan 31 2019 null");
    CHECK(device.info.type == FileType::other);
    CHECK(device.info.size == 0);
    CHECK(device.info.name == "null");
}

TEST_CASE("lines of a listing that are no entries are left out, and what is neither is told", "[ftp]") {
    for (const char* line : {"total 12", "", "  ", "drwxr-xr-x 2 a b 3 Jan 1 12:00 .", "drwxr-xr-x 2 a b 3 Jan 1 12:00 .."}) {
        INFO(line);
        CHECK(list(line).kind == ListingLine::Kind::nothing);
    }
    for (const char* line :
         {"hello", "-rw-r--r-- 1 a b 3 Foo 1 12:00 x", "-rw-r--r-- 1 a b c Jan 1 12:00 x", "-rw-r--r-- 1 a b 3 Jan 1 12:00", "drw"}) {
        INFO(line);
        CHECK(list(line).kind == ListingLine::Kind::unreadable);
    }
}

TEST_CASE("lines of Windows are read, with names that begin with blanks", "[ftp]") {
    struct Sample {
        const char* line;
        const char* name;
        FileType type;
        std::uint64_t size;
        const char* time;
    };
    const Sample samples[] = {
        {"01-31-26  11:59PM       <DIR>          docs", "docs", FileType::directory, 0, "20260131235900"},
        {"01-31-26  12:05AM                 1024 a b.txt", "a b.txt", FileType::file, 1024, "20260131000500"},
        {"01-31-26  12:05PM                 1024  lead", " lead", FileType::file, 1024, "20260131120500"},
        {"01-31-26  11:59PM       <DIR>           lead", " lead", FileType::directory, 0, "20260131235900"},
        {"01-31-2026  11:59PM       <DIR>          docs", "docs", FileType::directory, 0, "20260131235900"},
        {"2026-01-31  23:59             1,024 x", "x", FileType::file, 1024, "20260131235900"},
        {"31.01.2026  23:59    <DIR>          x", "x", FileType::directory, 0, "20260131235900"},
        {"01-31-26  11:59PM       <JUNCTION>     link [C:\\x]", "link", FileType::symlink, 0, "20260131235900"},
    };
    for (const Sample& one : samples) {
        INFO(one.line);
        const ListingLine line = list(one.line);
        REQUIRE(line.kind == ListingLine::Kind::entry);
        CHECK(line.info.name == one.name);
        CHECK(line.info.type == one.type);
        CHECK(line.info.size == one.size);
        CHECK(time_of(line.info) == one.time);
    }
}

TEST_CASE("a name that would lead out of the directory is no entry", "[ftp]") {
    CHECK(list("-rw-r--r-- 1 a b 3 Jan 31 2019 ../../etc/passwd").kind == ListingLine::Kind::unreadable);
    CHECK(parse_mlst("type=file; a/../../b").info.name == "b");
}

TEST_CASE("times are written as they are read", "[ftp]") {
    CHECK(format_time(*parse_time("20260131235958")) == "20260131235958");
    CHECK_FALSE(parse_time("20261331235958"));
    CHECK_FALSE(parse_time("20260131"));
    CHECK_FALSE(parse_time("20260131235958x"));
}
