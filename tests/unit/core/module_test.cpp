// SPDX-License-Identifier: Apache-2.0
// Modules that are as they should be, and each way in which one can be broken. They lie in QCONN_TEST_MODULES, made from tests/unit/core/modules.
#include <string>

#include <qconn/core/module.hpp>
#include <qconn/core/registry.hpp>

#include "support/catch.hpp"
#include "unit/core/modules/bell_client.hpp"

using namespace qconn;

namespace {

std::string module_path(const std::string& name) { return std::string{QCONN_TEST_MODULES} + "/" + name + ".so"; }

}  // namespace

TEST_CASE("schemes of a module are like all others, and its client is had by its type", "[module]") {
    Catalogue catalogue = builtin_catalogue();

    const auto info = load_module(catalogue, module_path("good"));

    CHECK(info->name == "bell");
    CHECK(info->version == "1.2.3");
    CHECK(info->description == "Bells that ring.");
    CHECK(info->path == module_path("good"));
    REQUIRE(catalogue.find("gong") != nullptr);
    CHECK(catalogue.find("gong")->module == info);
    CHECK(catalogue.find("file")->module == nullptr);
    CHECK(builtin_catalogue().find("bell") == nullptr);

    Registry registry{RegistryOptions{.catalogue = &catalogue}};
    Definition definition;
    definition.name = "door";
    definition.description = "at the front";
    definition.url = "bell://hall";
    registry.add(definition);
    auto door = registry.get<bell::BellClient>("door");
    CHECK(door->ring(3) == 3);
    try {
        door->ring(-1);
        FAIL("no error");
    } catch (const Error& error) { CHECK(error.name() == "BELL-ERROR"); }
}
