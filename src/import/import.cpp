// SPDX-License-Identifier: Apache-2.0
#include <qconn/import/import.hpp>

#include <algorithm>

#include "base/glob.hpp"
#include "import/formats.hpp"
#include "import/run.hpp"

namespace qconn {
const std::vector<Importer>& importers() {
    static const std::vector<Importer> all{
        {"airflow",
         "Apache Airflow: exported connections in JSON, YAML or env form, AIRFLOW_CONN_ variables",
         {".env", "*.env", "airflow*.json", "airflow*.yaml", "airflow*.yml", "connections.json", "connections.yaml", "connections.yml"},
         importing::read_airflow},
        {"dapr",
         "Dapr components and HTTP endpoints (YAML)",
         {"dapr*.yaml", "dapr*.yml", "*component*.yaml", "*component*.yml"},
         importing::read_dapr},
        {"odbc", "data sources of odbc.ini", {"odbc.ini", ".odbc.ini", "*odbc*.ini"}, importing::read_odbc_ini},
        {"ssh",
         "hosts of an OpenSSH client configuration, as sftp connections",
         {"ssh_config", "config", "*ssh*config*"},
         importing::read_ssh_config},
        {"legacy", "definitions in the legacy form", {"*.qconn"}, importing::read_legacy_form},
    };
    return all;
}

const Importer* find_importer(std::string_view name) noexcept {
    const auto& all = importers();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Importer& one) { return one.name == name; });
    return found != all.end() ? &*found : nullptr;
}

const Importer* guess_importer(std::string_view file) noexcept {
    file.remove_prefix(file.rfind('/') + 1);  // npos + 1 is 0
    for (const Importer& one : importers()) {
        if (std::any_of(one.file_names.begin(), one.file_names.end(),
                        [&](std::string_view pattern) { return text::glob_matches(pattern, file, text::Case::ignored); }))
            return &one;
    }
    return nullptr;
}

Imported import_connections(const std::vector<ImportSource>& sources, const ImportOptions& options) {
    Imported out;
    importing::Run run{options, out};
    for (const ImportSource& source : sources) run.read(source);
    run.finish();
    return out;
}

}  // namespace qconn
