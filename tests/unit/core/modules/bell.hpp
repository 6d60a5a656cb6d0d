// SPDX-License-Identifier: Apache-2.0
/// A small scheme for modules of tests.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <qconn/core/module.hpp>

#include "unit/core/modules/bell_client.hpp"

namespace bell {

class Bell : public BellClient {
public:
    explicit Bell(std::string label) : label_{std::move(label)} {}
    std::string_view label() const noexcept override { return label_; }
    int ring(int times) override {
        if (times < 0) throw qconn::Error{qconn::Errc::invalid_argument, "BELL-ERROR", "ringing '" + label_ + "' failed: it cannot ring backwards"};
        return times;
    }

private:
    std::string label_;
};

inline qconn::Scheme scheme(std::string name) {
    qconn::Scheme scheme;
    scheme.names = {std::move(name)};
    scheme.family = "bell";
    scheme.title = "Bell";
    scheme.help = "Rings.";
    scheme.clients = qconn::client_types<Bell, BellClient>({"Bell", "BellClient"});
    qconn::OperationSpec ring;
    ring.name = "ring";
    ring.help = "Rings";
    ring.arguments = {{"times", qconn::OptionType::integer, true, "How often"}};
    ring.run = [](qconn::Client& client, const qconn::Map& given, qconn::Deadline) -> qconn::Value {
        return dynamic_cast<BellClient&>(client).ring(static_cast<int>(given.find("times")->as_int64()));
    };
    scheme.operations = {std::move(ring)};
    scheme.operations_of = [](qconn::Client& bell, qconn::Deadline) {
        qconn::OperationSpec toll;
        toll.name = "toll";
        toll.help = "Tolls for " + std::string{bell.label()};
        toll.fields = {{"hours", qconn::OptionType::integer, false, "How late it is"}};
        toll.run = [](qconn::Client& client, const qconn::Map& given, qconn::Deadline) -> qconn::Value {
            return dynamic_cast<BellClient&>(client).ring(given.contains("hours") ? static_cast<int>(given.find("hours")->as_int64()) : 1);
        };
        return std::vector<qconn::OperationSpec>{std::move(toll)};
    };
    scheme.make_client = [](const qconn::ResolvedDefinition& definition, const qconn::Runtime&) -> std::shared_ptr<qconn::Client> {
        return std::make_shared<Bell>(definition.name);
    };
    scheme.make_ping = [](const qconn::ResolvedDefinition&, qconn::PingDepth, const qconn::Runtime&) -> qconn::PingPlan {
        return qconn::BlockingPing{[](qconn::Deadline) { return qconn::PingEvidence{"it rings"}; }};
    };
    return scheme;
}

}  // namespace bell
