// SPDX-License-Identifier: Apache-2.0
/// The importers; import.cpp lists them.
#pragma once

#include <string_view>

namespace qconn::importing {

class Run;

void read_airflow(std::string_view text, Run& run);
void read_odbc_ini(std::string_view text, Run& run);
void read_ssh_config(std::string_view text, Run& run);
void read_dapr(std::string_view text, Run& run);
void read_qconn_text(std::string_view text, Run& run);

}  // namespace qconn::importing
