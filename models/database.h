/* The configuration of a database, as the loader and the tests make it. */
#ifndef ORRERY_MODELS_DATABASE_H
#define ORRERY_MODELS_DATABASE_H

#include "models/parts/station.h"

struct database_config {
    struct station_config station;
    struct distribution read, write; /* ns: work of a point read and of a write, beside `time` */
    struct distribution scan;        /* ns; of no meaning without has_scan: as a read */
    double absent; /* share of the keys that hold nothing before their first write */
    bool has_scan;
};

#endif
