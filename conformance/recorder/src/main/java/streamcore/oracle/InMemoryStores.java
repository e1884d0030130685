package streamcore.oracle;

import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.DslKeyValueParams;
import org.apache.kafka.streams.state.DslSessionParams;
import org.apache.kafka.streams.state.DslStoreSuppliers;
import org.apache.kafka.streams.state.DslWindowParams;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.SessionBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;

/**
 * What a scenario calls in memory: key-value stores are Java's in-memory ones, window and session stores its persistent
 * ones, since Java's two engines expire differently and the format promises one behaviour.
 */
public final class InMemoryStores implements DslStoreSuppliers {
    @Override
    public KeyValueBytesStoreSupplier keyValueStore(final DslKeyValueParams params) {
        return BuiltInDslStoreSuppliers.IN_MEMORY.keyValueStore(params);
    }

    @Override
    public WindowBytesStoreSupplier windowStore(final DslWindowParams params) {
        return BuiltInDslStoreSuppliers.ROCKS_DB.windowStore(params);
    }

    @Override
    public SessionBytesStoreSupplier sessionStore(final DslSessionParams params) {
        return BuiltInDslStoreSuppliers.ROCKS_DB.sessionStore(params);
    }
}
