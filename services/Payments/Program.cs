using Shop.Contracts;
using Shop.Messaging;
using Shop.Payments;
using Shop.Payments.CallingProvider;
using Shop.Payments.RequestingPayments;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMessaging<PaymentsDb>("payments", messaging => messaging
    .Produces(Topics.Payments)
    .Endpoint("payments", endpoint => endpoint.Consumes(Topics.Orders).Prefetch<PaymentPrefetch>().Consumer<OrderConsumer>()));
builder.AddCallingProvider();

var app = builder.Build();
app.MapServiceDefaults();
app.MapMessaging("payments");
app.Run();
