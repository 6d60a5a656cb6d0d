// SPDX-License-Identifier: Apache-2.0
// Definitions of the legacy text form on the command line.
#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;

namespace {

constexpr const char* k_old = R"(# before 4.1
shop-api = (
    desc = Orders,
%ifdef LOCAL
    url = rest://127.0.0.1:1/api,
%else
    url = rest://$QCONN_SHOP_HOST/api,
%endif
    timeout = 20000
)
)";

struct MixedEstate : Estate {
    MixedEstate() {
        add("inbox", "file:///tmp");
        directory.write("old.qconn", k_old);
    }
};

}  // namespace

TEST_CASE("the tool reads legacy files beside the others, with the names of --define", "[cli][integration]") {
    const MixedEstate estate;

    const Outcome check = estate.run({"check", "--define", "OTHER", "--define", "LOCAL"});
    CHECK(check.out == "2 ok, 0 errors, 0 warnings\n");
    CHECK(check.code == 0);
    CHECK(has(estate.run({"--define", "LOCAL", "list"}).out, "rest://127.0.0.1:1/api"));
    const Outcome show = estate.run({"show", "shop-api"}, {"QCONN_SHOP_HOST=shop.example"});
    CHECK(has(show.out, "rest://shop.example/api"));
    CHECK(has(show.out, "old.qconn:2"));
}

TEST_CASE("the tool tells where something of a legacy file is lost", "[cli][integration]") {
    const MixedEstate estate;

    const Outcome check = estate.run({"check"});

    INFO(check.out);
    CHECK(has(check.out, "old.qconn:7:18: warning: the environment has no variable of the name that stands here"));
    CHECK(has(check.out, "[unset-variable]"));
}

TEST_CASE("import writes a legacy file as one of YAML, with the names of --define and no value of a variable", "[cli][integration]") {
    const MixedEstate estate;

    const Outcome import = estate.run({"import", "auto", "old.qconn", "--output", "new"}, {"QCONN_SHOP_HOST=shop.example"});

    INFO(import.err);
    CHECK(import.code == 0);
    CHECK(has(import.err, "old.qconn:4:1: warning: LOCAL is not defined now"));
    CHECK(has(estate.directory.read("new/shop-api.qconn.yaml"), "url: \"rest://${env:QCONN_SHOP_HOST}/api\"\n"));
    CHECK(has(estate.directory.read("new/shop-api.qconn.yaml"), "timeout: 20000\n"));
    CHECK(has(estate.run({"import", "legacy", "old.qconn", "--define", "LOCAL"}).out, "url: rest://127.0.0.1:1/api\n"));
}

TEST_CASE("a directory with nothing but legacy files is one", "[cli][integration]") {
    const Estate estate;
    estate.directory.write("old.qconn", "inbox = (url = file:///tmp, desc = d, readonly = yes)\n");

    CHECK(estate.run({"check"}).out == "1 ok, 0 errors, 0 warnings\n");
}
