// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/property_source.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "unit/core/registry_scheme.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr const char* k_variable = "QCONN_PROPERTY_CRM_EXAMPLE_PASSWORD";

/// What a program derives.
class Properties final : public PropertySource {
public:
    std::optional<Secret> lookup(std::string_view domain, std::string_view key) override {
        asked += std::string{domain} + "/" + std::string{key} + ";";
        if (breaks) throw std::runtime_error{"out of order"};
        if (refuses) throw Error{make_error_code(Errc::system), "VAULT-DOWN", "the vault is sealed"}.with_reason(Reason::refused);
        const auto found = values.find(std::string{key});
        return found == values.end() ? std::nullopt : std::optional{Secret{found->second}};
    }
    std::map<std::string, std::string> values{{"password", "Zq7canary"}};
    std::string asked;
    bool refuses{false};
    bool breaks{false};
};

struct Fixture : FakeRegistry {
    Fixture() {
        Scheme scheme = fake_scheme("crm", world);
        for (OptionSpec& spec : scheme.options) {
            if (spec.name == "password") spec.property = OptionProperty{"crm.example", "password"};
            if (spec.name == "colour") spec.property = OptionProperty{"crm.example", "colour"};
        }
        scheme.required = {{{{"password"}}}};
        catalogue.add(std::move(scheme));
        options.properties = source;
        registry.emplace(options);
        ::unsetenv(k_variable);
    }
    ~Fixture() { ::unsetenv(k_variable); }
    void add(Map given = {}) {
        Definition one = definition("a", "crm://h");
        one.options = std::move(given);
        registry->add(one);
    }
    std::shared_ptr<FakeClient> client() { return registry->get<FakeClient>("a").pin(); }

    std::shared_ptr<Properties> source = std::make_shared<Properties>();
};

std::string write(const TempDir& directory, const std::string& text, ::mode_t mode = 0600) {
    const std::string path = directory.write("properties.yaml", text);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
}
std::string refusal(const std::string& path) {
    try {
        (void)property_file(path)->lookup("crm.example", "password");
    } catch (const Error& error) {
        CHECK(error.name() == "SECRET-ERROR");
        CHECK(error.phase() == Phase::secret);
        return error.what();
    }
    return {};
}
bool has(const std::string& text, std::string_view part) {
    UNSCOPED_INFO(text);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "an option that declares a property has it where neither definition nor environment has a value", "[property]") {
    add();
    CHECK(client()->password() == "Zq7canary");
    CHECK(client()->greet() == "a@h grey");  // no such property: the default

    ::setenv(k_variable, "from-environment", 1);
    registry->update([] {
        Definition one = definition("a", "crm://h2");
        return one;
    }());
    CHECK(client()->password() == "from-environment");

    Definition own = definition("a", "crm://h");
    own.options = {{"password", "own"}};
    registry->update(own);
    source->asked.clear();
    CHECK(client()->password() == "own");
    CHECK(source->asked == "crm.example/colour;");
}

TEST_CASE_METHOD(Fixture, "what comes from a property is in no text about the connection", "[property][secret]") {
    add();
    world->on_make = [](const ResolvedDefinition& resolved) {
        throw make_error(Errc::system, "refused: " + std::string{resolved.options.at("password").as_string()}).with_connection("a");
    };
    const std::string said = thrown_text([&] { client(); });
    CHECK(has(said, "refused: ${property:crm.example/password}"));
    CHECK_FALSE(has(said, "Zq7canary"));
    CHECK_FALSE(registry->info("a").options.contains("password"));
    CHECK_FALSE(has(to_yaml(registry->definition("a")), "Zq7canary"));
}

TEST_CASE_METHOD(Fixture, "a property that cannot be had is a failure of its connection, of phase secret", "[property]") {
    add();  // valid all the same: it is known at use only
    CHECK(registry->info("a").validity == Validity::valid);
    source->values.clear();

    const PingResult missing = registry->ping("a");
    REQUIRE(missing.error);
    CHECK(missing.error->phase() == Phase::secret);
    CHECK(missing.error->reason() == Reason::missing);
    CHECK(has(missing.error->what(), "'password' (property crm.example/password, variable QCONN_PROPERTY_CRM_EXAMPLE_PASSWORD)"));

    source->refuses = true;
    const PingResult refused = registry->ping("a");
    REQUIRE(refused.error);
    CHECK(refused.error->reason() == Reason::refused);
    CHECK(has(refused.error->what(), "the vault is sealed"));

    source->breaks = true;
    CHECK(has(thrown_text([&] { client(); }), "of connection 'a' failed: out of order"));
    source->breaks = source->refuses = false;
    source->values["password"] = "";
    CHECK(has(thrown_text([&] { client(); }), "is empty"));
    source->values["password"] = "there";
    CHECK(client()->password() == "there");
}

TEST_CASE_METHOD(Fixture, "an option that is explicitly unset takes no property", "[property]") {
    add({{"password", "x"}, {"colour", Value{}}});
    CHECK(client()->greet() == "a@h ");
    CHECK(source->asked.empty());
}

TEST_CASE("only texts can come from a property", "[property]") {
    Catalogue catalogue;
    Scheme scheme = fake_scheme("crm", std::make_shared<FakeWorld>());
    for (OptionSpec& spec : scheme.options)
        if (spec.name == "timeout") spec.property = OptionProperty{"d", "k"};
    CHECK(has(thrown_text([&] { catalogue.add(std::move(scheme)); }), "has a property or a content option and is no string"));
}

TEST_CASE("a file of properties is read when it has changed", "[property]") {
    const TempDir directory;
    const std::string path = write(directory, "crm.example:\n  username: edi\n  password: \"01\"\nother:\n");
    const auto source = property_file(path);
    CHECK(source->lookup("crm.example", "password")->reveal() == "01");
    CHECK(source->lookup("crm.example", "username")->reveal() == "edi");
    CHECK_FALSE(source->lookup("crm.example", "nothing"));
    CHECK_FALSE(source->lookup("other", "password"));

    write(directory, "crm.example: {password: two}\n");
    CHECK(source->lookup("crm.example", "password")->reveal() == "two");
    CHECK_FALSE(source->lookup("crm.example", "username"));
}

TEST_CASE("a file of properties that others can read, or that is none, is refused without a word of what is in it", "[property][secret]") {
    const TempDir directory;
    const std::string good = "crm.example: {password: Zq7canary}\n";
    CHECK(has(refusal(write(directory, good, 0644)), "chmod 640"));
    CHECK(has(refusal(write(directory, good, 0660)), "chmod 640"));
    CHECK(refusal(write(directory, good, 0640)).empty());
    CHECK(has(refusal(directory / "none.yaml"), "No such file"));
    CHECK(has(refusal(directory.path()), "Is a directory"));
    for (const char* text :
         {"Zq7canary\n", "crm.example: Zq7canary\n", "crm.example: {password: [Zq7canary]}\n", "crm.example: {password: Zq7canary\n",
          "crm.example: {password: *Zq7canary}\n", "a: {}\n---\nb: {c: Zq7canary}\n", "crm.example: {a: Zq7canary, a: b}\n", "[Zq7canary]\n"}) {
        INFO(text);
        const std::string said = refusal(write(directory, text));
        CHECK(has(said, "properties.yaml"));
        CHECK_FALSE(has(said, "Zq7canary"));
    }
}
