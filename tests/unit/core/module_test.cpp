// SPDX-License-Identifier: Apache-2.0
// Modules that are as they should be, and each way in which one can be broken. They lie in QCONN_TEST_MODULES, made from tests/unit/core/modules.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <typeinfo>
#include <vector>

#include <qconn/base/log.hpp>
#include <qconn/core/module.hpp>
#include <qconn/core/registry.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"
#include "unit/core/modules/bell_client.hpp"

using namespace qconn;
using qconn::test::TempDir;
using test::has;

namespace {

std::string module_path(const std::string& name) { return std::string{QCONN_TEST_MODULES} + "/" + name + ".so"; }

Definition door() {
    Definition definition;
    definition.name = "door";
    definition.description = "at the front";
    definition.url = "bell://hall";
    return definition;
}

/// What loading it is refused with; nothing of it may be in the catalogue then.
Error refusal(const std::string& module) {
    Catalogue catalogue = builtin_catalogue();
    try {
        (void)load_module(catalogue, module);
    } catch (const Error& error) {
        CHECK(error.name() == "MODULE-ERROR");
        CHECK(has(error.message(), "loading the module '" + module + "' failed: "));
        CHECK(catalogue.names() == builtin_catalogue().names());
        return error;
    }
    FAIL("no error");
    throw 0;
}

/// A copy of the good module with other bytes at a place of its ELF header.
std::string patched(const TempDir& directory, std::size_t at, std::string_view bytes) {
    std::string image = test::read_file(module_path("good"));
    REQUIRE(image.size() > 64);
    image.replace(at, bytes.size(), bytes);
    return directory.write("patched.so", image);
}

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
    registry.add(door());
    auto bell = registry.get<bell::BellClient>("door");
    CHECK(bell->ring(3) == 3);
    CHECK(registry.ping("door").ok);
    try {
        bell->ring(-1);
        FAIL("no error");
    } catch (const Error& error) { CHECK(error.name() == "BELL-ERROR"); }
}

TEST_CASE("a module is had by its name from the directories of QCONN_MODULE_PATH", "[module]") {
    ::setenv("QCONN_MODULE_PATH", ("/nonexistent::" + std::string{QCONN_TEST_MODULES}).c_str(), 1);
    Catalogue catalogue;

    CHECK(load_module(catalogue, "good")->name == "bell");

    CHECK(module_search_path().at(0) == "/nonexistent");
    CHECK(module_search_path().at(1) == QCONN_TEST_MODULES);
}

TEST_CASE("a name that is in no directory is told with the directories and the nearest name", "[module]") {
    ::setenv("QCONN_MODULE_PATH", QCONN_TEST_MODULES, 1);

    const Error error = refusal("goood");

    INFO(error.what());
    CHECK(error.code() == ModuleErrc::not_found);
    CHECK(error.reason() == Reason::not_found);
    CHECK(has(error.message(), QCONN_TEST_MODULES));
    CHECK(has(error.message(), "did you mean 'good'?"));
}

TEST_CASE("nothing is loaded by name from the current directory", "[module]") {
    REQUIRE(::chdir(QCONN_TEST_MODULES) == 0);
    ::setenv("QCONN_MODULE_PATH", ".::./", 1);
    const Error error = refusal("good");
    INFO(error.what());
    CHECK(error.code() == ModuleErrc::not_found);
    CHECK(has(error.message(), "'.' in QCONN_MODULE_PATH is left out, as it is not absolute"));

    ::unsetenv("QCONN_MODULE_PATH");
    CHECK(refusal("good").code() == ModuleErrc::not_found);
    CHECK(refusal("good.so").code() == ModuleErrc::not_found);
    CHECK(refusal("").code() == ModuleErrc::not_found);
    Catalogue catalogue;
    CHECK(load_module(catalogue, "./good.so")->path == module_path("good"));  // a path says so itself
}

TEST_CASE("what the dynamic loader refuses is told in its own words, with what to do", "[module]") {
    const TempDir directory;
    struct Case {
        std::string path;
        std::string words;
        std::string advice;
    };
    const std::vector<Case> cases{
        {directory / "missing.so", "cannot open shared object file", "check the path"},
        {directory.write("text.so", std::string(100, 'x')), "invalid ELF header", "it is no shared library"},
        {directory.write("short.so", ""), "file too short", "it is no shared library"},
        {directory.path() + "/", "", "'ldd' and 'file' on the module tell more"},
        {module_path("unresolved"), "undefined symbol: _ZN5qconn7abi_0_010ModuleHost3addEv",
         "(that is qconn::abi_0_0::ModuleHost::add()) this program holds qconn as a static library and does not export this"},
        {module_path("unresolved_other"), "undefined symbol: bell_foundry_cast", "link the module with the library that has it"},
        {module_path("needs_library"), "libtest_foundry.so: cannot open shared object file", "install the library that the module needs"},
    };
    for (const Case& one : cases) {
        const Error error = refusal(one.path);
        INFO(error.what());
        CHECK(error.code() == ModuleErrc::load);
        CHECK(has(error.message(), one.words));
        CHECK(has(error.message(), one.advice));
    }
}

TEST_CASE("a module for another kind of machine is told as that, though the loader calls it missing", "[module]") {
    const TempDir directory;
    const bool is_wide = sizeof(void*) == 8;
    for (const auto& [at, bytes] : {std::pair<std::size_t, std::string>{18, "\xf3\x7f"}, {4, is_wide ? "\x01" : "\x02"}}) {
        const Error error = refusal(patched(directory, at, bytes));
        INFO(error.what());
        CHECK(error.code() == ModuleErrc::load);
        CHECK(has(error.message(), "it is built for another kind of machine"));
    }
}

TEST_CASE("a module made for another version of qconn is told by its entry point", "[module]") {
    const Error error = refusal(module_path("other_version"));
    INFO(error.what());
    CHECK(error.code() == ModuleErrc::other_version);
    CHECK(has(error.message(), "was made for another version of qconn: it has qconn_module_2, and qconn_module_1 is asked for"));
}

TEST_CASE("the name that guards the layout of what modules use follows the library's SONAME", "[module]") {
    CHECK(has(typeid(ModuleHost).name(), QCONN_ABI));
}

TEST_CASE("a library without an entry point of its own is no module", "[module]") {
    for (const auto* name : {"no_entry", "leans_on_good"}) {
        const Error error = refusal(module_path(name));
        INFO(error.what());
        CHECK(error.code() == ModuleErrc::no_entry);
        CHECK(has(error.message(), "has no function qconn_module_1"));
    }
}

TEST_CASE("a module that carries a copy of qconn of its own is refused before its code is called", "[module]") {
    const Error error = refusal(module_path("own_copy"));
    INFO(error.what());
    CHECK(error.code() == ModuleErrc::other_library);
    CHECK(has(error.message(), "uses qconn 0.0.9 in " + module_path("own_copy")));
}

TEST_CASE("what an entry point throws is told, whatever its type, and nothing that it added stays", "[module]") {
    CHECK(has(refusal(module_path("throws_error")).message(), "its entry point threw: BELL-ERROR: the bell has no clapper"));
    CHECK(has(refusal(module_path("throws_own_type")).message(), "its entry point threw: a type that this module alone knows"));
    CHECK(has(refusal(module_path("throws_number")).message(), "its entry point threw: something that is no std::exception"));
    CHECK(refusal(module_path("throws_number")).code() == ModuleErrc::entry_failed);
}

TEST_CASE("a module that adds no scheme is refused", "[module]") {
    const Error error = refusal(module_path("empty"));
    CHECK(error.code() == ModuleErrc::empty);
    CHECK(has(error.message(), "adds no scheme"));
}

TEST_CASE("a module with one scheme that is known or wrong is refused whole", "[module]") {
    const Error known = refusal(module_path("known_scheme"));
    CHECK(known.code() == ModuleErrc::scheme);
    CHECK(has(known.message(), "the scheme 'file' is known already; nothing of " + module_path("known_scheme") + " is added"));

    const Error wrong = refusal(module_path("bad_table"));
    CHECK(wrong.code() == ModuleErrc::scheme);
    CHECK(has(wrong.message(), "'clapper'"));
    CHECK(has(wrong.message(), "it has no ping"));
}

TEST_CASE("a scheme that another module has is refused with that module's name", "[module]") {
    const TempDir directory;
    Catalogue catalogue;
    (void)load_module(catalogue, module_path("good"));
    const std::string copy = directory.write("copy.so", test::read_file(module_path("good")));

    try {
        (void)load_module(catalogue, copy);
        FAIL("no error");
    } catch (const Error& error) {
        INFO(error.what());
        CHECK(error.code() == ModuleErrc::scheme);
        CHECK(has(error.message(), "the scheme 'bell' is known already, from the module 'bell' (" + module_path("good") + ")"));
    }
    CHECK(catalogue.names() == std::vector<std::string>{"bell", "gong"});
}

TEST_CASE("a module that a catalogue has already is left alone, and another catalogue takes it anew", "[module]") {
    Catalogue catalogue;
    const auto first = load_module(catalogue, module_path("good"));
    CHECK(load_module(catalogue, std::string{QCONN_TEST_MODULES} + "/../so/good.so") == first);
    CHECK(catalogue.schemes().size() == 2);

    Catalogue other;
    CHECK(load_module(other, module_path("good"))->name == "bell");
    CHECK(other.schemes().size() == 2);
}

TEST_CASE("a list of modules is taken as a list or as text with commas or colons, and those that fail are told and skipped", "[module]") {
    ::setenv("QCONN_MODULE_PATH", QCONN_TEST_MODULES, 1);
    std::vector<std::string> events;
    set_default_log(LogLevel::warning,
                    [&](const LogRecord& record) { events.push_back(std::string{record.event} + ": " + std::string{record.text}); });
    const auto load = [](const Value& modules) {
        Catalogue catalogue;
        const ModulesReport report = load_modules(catalogue, modules);
        return std::to_string(report.loaded.size()) + " loaded, " + std::to_string(report.failed.size()) + " failed, " +
               std::to_string(catalogue.names().size()) + " names";
    };
    CHECK(load(Value{}) == "0 loaded, 0 failed, 0 names");
    CHECK(load("") == "0 loaded, 0 failed, 0 names");
    CHECK(load(" empty , good:good,, ") == "1 loaded, 1 failed, 2 names");
    CHECK(load(List{"throws_number", module_path("good"), "no:such,name"}) == "1 loaded, 2 failed, 2 names");
    set_default_log(LogLevel::warning, {});

    REQUIRE(events.size() == 3);
    CHECK(has(events[0], "module-failed: MODULE-ERROR: loading the module 'empty' failed: "));
    CHECK(has(events[2], "'no:such,name'"));
    Catalogue catalogue;
    CHECK_THROWS_AS(load_modules(catalogue, 17), Error);
    CHECK_THROWS_AS(load_modules(catalogue, List{17}), Error);
}

TEST_CASE("a module stays in the process, refused or not, also when every catalogue that has it is gone", "[module]") {
    (void)refusal(module_path("throws_number"));
    std::shared_ptr<Client> client;
    {
        Catalogue catalogue;
        (void)load_module(catalogue, module_path("good"));
        Registry registry{RegistryOptions{.catalogue = &catalogue}};
        registry.add(door());
        client = registry.client("door");
    }
    CHECK(client->label() == "door");
    for (const auto* name : {"good", "throws_number"}) CHECK(::dlopen(module_path(name).c_str(), RTLD_NOW | RTLD_NOLOAD) != nullptr);
}

TEST_CASE("modules are loaded into one catalogue while others are used by other threads", "[module]") {
    Catalogue catalogue;
    (void)load_module(catalogue, module_path("good"));
    Registry registry{RegistryOptions{.catalogue = &catalogue}};
    registry.add(door());
    std::atomic<bool> loaded{false};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] {
            do (void)registry.get<bell::BellClient>("door")->ring(1);
            while (!loaded);
        });

    Catalogue next = registry.catalogue();
    for (const auto* name : {"known_scheme", "throws_number", "unresolved"}) {
        try {
            (void)load_module(next, module_path(name));
        } catch (const Error&) {  // those that fail race with the look-ups as well
        }
    }
    loaded = true;
    threads.clear();

    CHECK(next.find("chime") != nullptr);
    CHECK(registry.catalogue().find("chime") == nullptr);
}
