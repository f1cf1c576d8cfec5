using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Shop.Messaging.Kafka;

/// <summary>Lets Confluent.Kafka and <see cref="LibrdkafkaCalls"/> load the system's librdkafka where the build chose it (LeafReferences.targets).</summary>
internal static class Librdkafka
{
    /// <summary>Confluent.Kafka asks for <c>librdkafka</c>, which only a -dev package provides; distributions ship the versioned name.</summary>
#pragma warning disable CA2255 // a module initializer in a library: the resolver has to be there before anyone's first Kafka call
    [ModuleInitializer]
    internal static void UseSystemLibrary()
    {
        NativeLibrary.SetDllImportResolver(typeof(ProducerBuilder<,>).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(LibrdkafkaCalls).Assembly, Resolve);
    }

#pragma warning restore CA2255

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name.Contains("librdkafka", StringComparison.Ordinal) && NativeLibrary.TryLoad("librdkafka.so.1", out var handle)
            ? handle
            : nint.Zero;
}
